"""Channels 1.1.8 on a supported Django. Importing this package has no effect; see :mod:`channels_lts.compat`."""

__version__ = "0.1.0"

# Django before 3.2 finds the app's configuration by this.
default_app_config = "channels_lts.apps.ChannelsLTSConfig"
