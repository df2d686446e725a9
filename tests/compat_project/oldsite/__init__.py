from channels_lts import compat

compat.install()
