"""Programs that run on the chat's own Django, in its environment; all else of the bench needs none."""
