"""The pages under a WSGI server, where only sockets and long-poll go through the interface servers."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_project.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
