"""The application that is measured, for Channels 1.x: stock and ours run this very code."""

from channels_lts import compat

compat.install()
