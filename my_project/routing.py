"""Channel names to consumers. The Origin check stands first, so that no WebSocket route can forget it."""

from __future__ import annotations

from channels import include

from channels_lts.origin import OriginGuard

channel_routing = [
    OriginGuard(),
    include("chat.routing.channel_routing"),
]
