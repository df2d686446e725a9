"""nginx in front of a stack, with the shipped configuration."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

from tests.services import ROOT, Service, find, free_port, listening

sys.path.append(str(ROOT / "deploy" / "nginx"))

import render

BOTH = ["chat.conf", "chat-wsgi.conf"]

# What Debian's nginx.conf has around sites-enabled/*, as far as it bears on the sites.
_AROUND = """
{user}
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    gzip on;
    access_log {directory}/access.log;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/sites-enabled/*;
}}
"""


class Nginx(Service):
    """nginx with chat.conf or chat-wsgi.conf, for a running stack; *local* holds the files of chat.d, by name."""

    def __init__(self, directory: Path, name: str, stack, *, local: dict[str, str] | None = None) -> None:  # type: ignore[no-untyped-def]
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.access_log = directory / "access.log"
        for folder in ("sites-enabled", "chat.d"):
            (directory / folder).mkdir()
        for file, text in (local or {}).items():
            (directory / "chat.d" / file).write_text(text)
        values = {
            "server_name": "localhost",
            "data": str(stack.directory),
            "local": str(directory / "chat.d"),
            "interface": f"127.0.0.1:{stack.port}",
        }
        if render.CONVENTIONAL["wsgi"][0] in render.render(name):
            values["wsgi"] = stack.env["WSGI_BIND"]
        (directory / "sites-enabled" / name).write_text(render.render(name, listen=f"127.0.0.1:{self.port}", **values))
        user = f"user {pwd.getpwuid(0).pw_name} root;" if os.getuid() == 0 else ""
        self._configuration = directory / "nginx.conf"
        self._configuration.write_text(_AROUND.format(directory=directory, user=user))
        self._nginx = find("nginx")
        super().__init__(directory, [self._nginx, "-p", directory, "-c", self._configuration])

    def check(self) -> str:
        """Run ``nginx -t``; returns what it said, warnings too."""
        command = [self._nginx, "-t", "-p", self.directory, "-c", self._configuration]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stderr

    def start(self) -> Nginx:
        self.launch()
        self.wait_until(lambda: listening(self.port))
        return self

    def errors(self) -> str:
        return (self.directory / "error.log").read_text()
