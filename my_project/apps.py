from __future__ import annotations

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    name = "my_project"

    def ready(self) -> None:
        from my_project import checks  # noqa: F401  (registers them)
