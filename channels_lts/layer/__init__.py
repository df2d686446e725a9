"""The channel layer on Redis: ``"BACKEND": "channels_lts.layer.RedisChannelLayer"``."""

from channels_lts.layer.redis import RedisChannelLayer, RedisSentinelChannelLayer

__all__ = ["RedisChannelLayer", "RedisSentinelChannelLayer"]
