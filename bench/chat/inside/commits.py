"""``python -m bench.chat.inside.commits``: how many messages a second this database stores by itself.

The same statements in the same transactions as ``chat.numbering`` has them, over two connections at once, by the
database's own driver or tool, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--pgbench")
    parser.add_argument("--one", action="store_true", help="be one of the connections, once a line comes in")
    wanted = parser.parse_args()
    import django

    django.setup()
    from django.db import connection

    if wanted.one:
        print(_sqlite(connection, wanted.seconds))
    elif connection.vendor == "postgresql":
        print(json.dumps({"rate": _pgbench(connection, wanted.pgbench, wanted.seconds)}))
    else:
        print(json.dumps({"rate": _two(wanted.seconds)}))


def _two(seconds: float) -> float:
    command = [sys.executable, "-m", "bench.chat.inside.commits", "--one", "--seconds", str(seconds)]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(2)
    ]
    # Both have started before one begins.
    for each in both:
        each.stdout.readline()
    for each in both:
        each.stdin.write("go\n")
        each.stdin.flush()
    return sum(float(each.communicate()[0]) for each in both)


def _message(room):
    from bench.chat.inside.seed import BODY
    from chat.models import Message

    return Message(room=room, uid=uuid.uuid4().hex, author_id=None, author_key="gbench", author_name="bench", body=BODY)


def _rooms():
    from chat.models import Room

    return list(Room.objects.filter(slug__startswith="bench-").order_by("pk")[1:11])


def _sqlite(connection, seconds: float) -> float:
    from chat import numbering

    rooms = _rooms()
    # The driver itself, on a connection that the project has set up.
    raw = connection.connection
    number = numbering._sql(numbering._NUMBER).replace("%s", "?")
    insert = numbering._sql(numbering._INSERT).replace("%s", "?")
    values = {room.pk: numbering.values(_message(room)) for room in rooms}
    place = [field.column for field in numbering.fields()].index("uid")
    print("ready", flush=True)
    sys.stdin.readline()
    count, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        room = random.choice(rooms)  # noqa: S311
        row = values[room.pk]
        row[place] = uuid.uuid4().hex
        raw.execute("BEGIN IMMEDIATE")
        ((seq, _, _),) = raw.execute(number, (room.pk, room.pk, "gbench", row[place])).fetchall()
        raw.execute(insert, (*row, seq)).fetchall()
        raw.execute("COMMIT")
        count += 1
    return count / (time.monotonic() - began)


def _pgbench(connection, program: str, seconds: float) -> float:
    import psycopg

    from chat import numbering

    room = _rooms()[0]
    message = _message(room)
    message.uid, ids = "THE_UID", [str(each.pk) for each in _rooms()]
    message.room_id = room.pk = 987654321
    connection.ensure_connection()
    # Django's own cursor may leave the values to the server.
    text = psycopg.ClientCursor(connection.connection).mogrify(
        numbering._sql(numbering._ONE_STATEMENT), [*numbering._wanted(message, room), *numbering.values(message)]
    )
    text = " ".join(text.replace("'THE_UID'", "md5(cast(:r as text))").replace("987654321", ":room").split())
    settings = connection.settings_dict
    script = Path(tempfile.mkstemp(suffix=".sql")[1])
    lowest, highest = min(map(int, ids)), max(map(int, ids))
    script.write_text(f"\\set room random({lowest}, {highest})\n\\set r random(1, 1000000000000000)\n{text};\n")
    try:
        said = subprocess.run(  # noqa: S603
            [program, "-n", "-c", "2", "-j", "2", "-T", str(max(1, round(seconds))), "-f", script,
             "-h", settings["HOST"], "-p", str(settings["PORT"]), "-U", settings["USER"], settings["NAME"]],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    finally:
        script.unlink()
    return float(next(line for line in said.splitlines() if line.startswith("tps = ")).split()[2])


if __name__ == "__main__":
    main()
