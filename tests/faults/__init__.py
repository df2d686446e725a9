"""The fault suite: the whole deployment, under load and harmed on purpose. docs/reliability.md has the promises."""
