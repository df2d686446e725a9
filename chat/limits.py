"""Every bound of the chat in one place. Lengths count characters, sizes bytes, times seconds."""

from __future__ import annotations

from channels_lts.rates import Rate

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

# So many names of one message count, and so many places at which one may end.
MENTIONS = 20
MENTION_ENDS = 24

QUERY = 200
SEARCH = 20
SEARCH_MAX = 50

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

# Tokens and webhooks: how many a person or a room may have, what they may be called, for how long a token may live, and
# how often its use is written down.
TOKENS = 20
WEBHOOKS = 20
WAY_NAME = 80
TOKEN_DAYS = 3650
TOKEN_USED_WRITE = 60
# Sockets that opened as nobody: how soon they must show a token, and how many may be without one, of one address and in
# all.
SHOW_TOKEN = 10
TOKEN_TEXT = 512
NAMELESS_PER_ADDRESS = 20
NAMELESS = 500

# --- Rates: how much in a while, and how much at once after a pause. docs/limits.md tells what they are made for ---
# Of one person on all their devices, of all people in one room, of one socket. Nobody types two messages a second for
# long, but somebody who was away while the server restarted sends fifty at once.
RATES: dict[str, dict[str, Rate]] = {
    "send": {"person": Rate(4, burst=300), "room": Rate(200, burst=2000), "connection": Rate(2, burst=160)},
    # Every tab joins again when an interface server restarts.
    "join": {"person": Rate(5, burst=300), "connection": Rate(2, burst=100)},
    # Dropped in silence: of a page one comes every three seconds.
    "typing": {"person": Rate(2, burst=20), "room": Rate(30, burst=60), "connection": Rate(1, burst=10)},
    # Who scrolls through 5,000 messages asks a hundred times.
    "history": {"person": Rate(20, burst=400), "connection": Rate(10, burst=200)},
    "search": {"person": Rate(2, burst=40)},
    # Long-polls are answered with every message.
    "poll": {"person": Rate(20, burst=200)},
    "edit": {"person": Rate(1, burst=40)},
    "read": {"person": Rate(20, burst=400)},
    "room": {"person": Rate(30, per=3600, burst=30)},
    "invitation": {"person": Rate(60, per=3600, burst=30)},
    "direct": {"person": Rate(60, per=3600, burst=30)},
    "upload": {"person": Rate(240, per=3600, burst=120)},
    # A step of a chunked upload, of which ten make a large one.
    "chunk": {"person": Rate(20, burst=200)},
    # Whatever else people do, such as giving roles.
    "action": {"person": Rate(5, burst=100)},
}
# Uploads in pieces: bytes of a piece, seconds in which an upload must be finished, and how many of one person may wait
# for that.
UPLOAD_CHUNK = 1024 * 1024
UPLOAD_LIFE = 3600
UPLOADS_OPEN = 10
# Bytes of one person's uploads.
UPLOAD_BYTES = Rate(512 * 1024 * 1024, per=3600, burst=512 * 1024 * 1024)

# Rooms that one socket may be in at once.
ROOMS_JOINED = 50
# People that "joined" lists; how many there are it says anyway.
PEOPLE_LISTED = 200
# How long somebody counts as typing after they last said so.
TYPING = 6

# What a reminder says, which its mention goes before, and how far ahead it may lie.
REMINDER = 1000
REMIND_WITHIN = 366 * 86_400
