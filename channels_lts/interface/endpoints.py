"""Where the server listens: TCP, a unix socket, a file descriptor, or any of Twisted's endpoints."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from twisted.internet import defer
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.error import CannotListenError

from channels_lts.exceptions import ChannelsLTSError

# Connections that the kernel keeps while we are busy: a whole deployment's browsers come back at once.
BACKLOG = 4096


class ListenError(ChannelsLTSError):
    """Raised when an endpoint cannot be listened on."""


def descriptions(
    *,
    host: str | None = None,
    port: int | None = None,
    unix_socket: str | None = None,
    file_descriptor: int | None = None,
) -> list[str]:
    """Return Twisted's descriptions of what the command line asks for. *host* and *port* come together."""
    found = []
    if host is not None and port is not None:
        found.append(f"tcp:port={port}:interface={_quote(host.strip('[]'))}:backlog={BACKLOG}")
    if unix_socket is not None:
        found.append(f"unix:{_quote(unix_socket)}:backlog={BACKLOG}")
    if file_descriptor is not None:
        found.append(f"fd:fileno={file_descriptor}")
    return found


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace(":", "\\:")


@defer.inlineCallbacks
def listen(description: str, factory: Any, reactor: Any) -> Any:
    """Listen on *description*. Fires with the port.

    Raises:
        ListenError: that cannot be.
    """
    try:
        endpoint = _adopted(description, reactor) or serverFromString(reactor, description)
        port = yield endpoint.listen(factory)
    except (CannotListenError, OSError, ValueError, TypeError, AttributeError) as error:
        raise ListenError(f"cannot listen on {description}: {_reason(error)}") from error
    return port


def _adopted(description: str, reactor: Any) -> Any:
    """The endpoint of ``fd:fileno=N``, of whatever family the socket is."""
    prefix, _, number = description.partition("fd:fileno=")
    if prefix or not number.isdigit():
        return None
    with socket.socket(fileno=os.dup(int(number))) as inherited:
        if not inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            raise OSError(errno.EINVAL, "nothing listens on that socket")
        return AdoptedStreamServerEndpoint(reactor, int(number), inherited.family)


def _reason(error: Exception) -> str:
    cause = getattr(error, "socketError", error)
    if getattr(cause, "errno", None) == errno.EADDRINUSE:
        return "the address is taken"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
