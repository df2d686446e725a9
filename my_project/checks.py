"""What must not reach production, found by ``manage.py check``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security)
def check_production(**kwargs: Any) -> list[CheckMessage]:
    """Refuse DEBUG and the development SECRET_KEY where ``ENVIRONMENT`` is ``production``."""
    if settings.ENVIRONMENT != "production":
        return []
    errors: list[CheckMessage] = []
    if settings.DEBUG:
        errors.append(
            Error(
                "DEBUG is on in production.",
                hint="Unset DEBUG: error pages would show settings and source to everybody.",
                id="my_project.E001",
            )
        )
    if settings.SECRET_KEY == settings.INSECURE_SECRET_KEY:
        errors.append(
            Error(
                "SECRET_KEY is the one from the repository.",
                hint="Set SECRET_KEY to a long random value; whoever knows it can sign in as anybody.",
                id="my_project.E002",
            )
        )
    return errors
