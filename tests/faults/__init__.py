"""The fault suite: the whole deployment, real and under load, harmed on purpose; docs/reliability.md has its promises."""
