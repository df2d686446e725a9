"""Every bound of the chat in one place. Lengths count characters, sizes bytes, times seconds."""

from __future__ import annotations

BODY = 4000
ROOM_NAME = 80
TOPIC = 200
GUEST_NAME = 40
# What names a person for ever, and two of them with a mark between.
KEY = 40
DIRECT = 2 * KEY + 1
# A room's name, and a suffix where it is taken.
SLUG = 100
# The name that a client gives its message, so that a resend is recognised.
UID = 64
# The body of a request that posts a message: 4000 characters of 4 bytes, each of which JSON may write as \uXXXX twice.
REQUEST = 64 * 1024

IMAGE_BYTES = 10 * 1024 * 1024
IMAGE_PIXELS = 50_000_000
# Both sides of a thumbnail fit into this.
THUMBNAIL_PIXELS = 480

HISTORY = 50
HISTORY_MAX = 100
# Who missed more than this is told to reload.
RECOVER_MAX = 200
POLL_MAX = 100

# How often a client says that it is alive, how often that is written down, and how long it counts.
HEARTBEAT = 25
SEEN_WRITE = 20
PRESENT = 75
# After so long a socket asks again whether its user's account is as it was.
IDENTITY_CHECK = 60
# The rows of sockets that went without a word: Daphne keeps none longer than this.
CLIENT_ROW = 86_400

# Seconds between two messages of one person in a room: an hour is the slowest.
SLOW = 3600
# How long a ban may last if not for good, and an invitation, which lasts a week if nothing is said.
BAN_MINUTES = 366 * 24 * 60
INVITATION_HOURS = 7 * 24
INVITATION_HOURS_MAX = 366 * 24
INVITATION_USES = 1000
# Of one room, at the same time.
INVITATIONS = 100
# In one list; those with a role come first.
MEMBERS = 500
