"""The interface server: ``python -m channels_lts.interface module:channel_layer``. Importing this has no effect."""
