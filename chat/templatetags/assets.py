from __future__ import annotations

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from chat import assets

register = template.Library()


@register.simple_tag
def modulepreload(entry: str) -> SafeString:
    """Tell the browser at once of all modules behind *entry*: else it finds them one import after the other."""
    return format_html_join("\n", '<link rel="modulepreload" href="{}">', ((url,) for url in assets.modules(entry)))
