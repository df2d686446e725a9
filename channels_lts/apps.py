from __future__ import annotations

from django.apps import AppConfig, apps

from channels_lts import compat

# Django imports this module before it imports Channels, where INSTALLED_APPS is in the right order (E001).
compat.install()


class ChannelsLTSConfig(AppConfig):
    name = "channels_lts"
    verbose_name = "Channels LTS"

    def ready(self) -> None:
        from channels.signals import worker_process_ready

        from channels_lts import beating, checks  # noqa: F401  (checks register themselves)

        worker_process_ready.connect(beating.on_worker_process_ready, dispatch_uid="channels_lts.heartbeat")
        if apps.is_installed("django.contrib.auth"):
            from channels_lts import revocation

            revocation.connect_signals()
