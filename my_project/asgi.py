"""What the interface server imports: ``daphne my_project.asgi:channel_layer``."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "my_project.settings")

from channels.asgi import get_channel_layer

channel_layer = get_channel_layer()
