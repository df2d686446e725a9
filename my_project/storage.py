from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed names, so that browsers may keep static files for ever; the names inside ``import`` statements too."""

    support_js_module_import_aggregation = True
