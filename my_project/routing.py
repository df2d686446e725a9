"""Channel names to consumers. The Origin check stands first, so that no WebSocket route can forget it.

Who shows a token comes from anywhere: their cookies are not looked at.
"""

from __future__ import annotations

from channels import include

from channels_lts.origin import OriginGuard
from chat.connection import cookies_do_not_count

channel_routing = [
    OriginGuard(unless=cookies_do_not_count),
    include("chat.routing.channel_routing"),
]
