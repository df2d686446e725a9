"""manage.py of the application that stock and ours share."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")
    # Importing the package installs the shims that Django and Channels need.
    import app  # noqa: F401
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
