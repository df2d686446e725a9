"""Print an nginx configuration with a site's own names, paths and ports, and with the snippets put in place.

chat.conf and chat-wsgi.conf can be used as they are where a site follows their conventions. This does nothing but
replace the conventional values, so what is tested with other values is what is shipped:

    python3 deploy/nginx/render.py chat.conf --server-name chat.example.org >/etc/nginx/sites-enabled/chat.conf
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONVENTIONAL = {
    "server_name": ("chat.example.com", "host names, separated by blanks"),
    "data": ("/var/lib/chat", "the directory that holds static/ and media/"),
    "local": ("/etc/nginx/chat.d", "the directory of what this site adds, tls.conf first of all"),
    "interface": ("127.0.0.1:8000", "address of the interface servers: BIND and PORT"),
    "wsgi": ("127.0.0.1:8001", "address of the WSGI server: WSGI_BIND"),
}
_SNIPPET = re.compile(r"^([ ]*)include /srv/chat/deploy/nginx/snippets/([a-z]+\.conf);\n", re.MULTILINE)
_LISTEN = re.compile(r"^([ ]*)listen 80;\n[ ]*listen \[::\]:80;\n", re.MULTILINE)


class UnknownValueError(Exception):
    """Raised when the configuration does not hold the conventional value that is to be replaced."""


def render(name: str, *, listen: str | None = None, **values: str | None) -> str:
    """Return the configuration *name* with its snippets in place and *values* for the conventional ones.

    *listen* is the one address to listen on; without it the shipped ones stay. Keys of *values* are those of
    ``CONVENTIONAL``; None leaves the shipped value.

    Raises:
        UnknownValueError: a value is given that this configuration has no place for.
    """
    text = _inline((HERE / name).read_text())
    if listen is not None:
        text, count = _LISTEN.subn(lambda match: f"{match[1]}listen {listen};\n", text)
        if not count:
            raise UnknownValueError(f"{name} has no lines `listen 80` to replace")
    for key, value in values.items():
        shipped = CONVENTIONAL[key][0]
        if value is None:
            continue
        if not re.search(rf"^[^#\n]*{re.escape(shipped)}", text, re.MULTILINE):
            raise UnknownValueError(f"{name} does not hold {shipped}, which --{key.replace('_', '-')} replaces")
        text = text.replace(shipped, value)
    return text


def _inline(text: str) -> str:
    def snippet(match: re.Match[str]) -> str:
        indent, name = match.groups()
        lines = _inline((HERE / "snippets" / name).read_text()).splitlines()
        return "".join(f"{indent}{line}".rstrip() + "\n" for line in lines)

    return _SNIPPET.sub(snippet, text)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=["chat.conf", "chat-wsgi.conf"])
    parser.add_argument("--listen", metavar="ADDRESS", help="the one address to listen on, instead of 80 and [::]:80")
    for key, (shipped, meaning) in CONVENTIONAL.items():
        option = f"--{key.replace('_', '-')}"
        parser.add_argument(option, dest=key, metavar="VALUE", help=f"{meaning}; {shipped} unless given")
    options = vars(parser.parse_args(arguments))
    try:
        sys.stdout.write(render(options.pop("name"), **options))
    except UnknownValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
