from channels_lts import compat

# Before anything imports Channels: it cannot be imported on a supported Django without this.
compat.install()
