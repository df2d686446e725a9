"""Channels 1.1.8 on a supported Django. Importing this package has no effect; see :mod:`channels_lts.compat`."""

__version__ = "0.1.0"
