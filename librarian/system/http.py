"""The door to the web: one request, answered within a time, of which no more than the status is read.

The address may be a secret: no error tells of it.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from librarian.errors import LibrarianError, TimedOutError
from librarian.system.host import stopwatch

_MOST = 4096  # bytes of an answer until its status has to be told
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n")


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> int:
    """POST `body` to an address of https and return the status that is answered.

    The server's certificate is checked against the system's authorities ($SSL_CERT_FILE), redirects are not followed,
    and all of it, but for looking up the name, takes at most `timeout` seconds. Raises `LibrarianError` without the
    address, `TimedOutError` where it takes too long.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or not url.isascii() or not url.isprintable() or " " in url:
        raise LibrarianError("the address is not one of https")
    end = stopwatch() + timeout
    try:
        return _exchanged(parts.hostname, parts.port or 443, _request(url, body, headers), end)
    except ssl.SSLCertVerificationError as error:
        why = getattr(error, "verify_message", "") or "it cannot be verified"
        raise LibrarianError("the server's certificate is not trusted", why) from None
    except TimeoutError:
        raise TimedOutError(f"the server did not answer within {timeout:g} s") from None
    except ssl.SSLError as error:
        raise LibrarianError("no safe connection could be made", error.reason or "") from None
    except (OSError, UnicodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise LibrarianError("the server could not be reached", why) from None


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    every = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close", **headers}
    for name, value in every.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise LibrarianError("a header of the request has characters that it may not have")
    head = f"POST {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in every.items()) + "\r\n"
    return head.encode("ascii") + body


def _exchanged(host: str, port: int, request: bytes, end: float) -> int:
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_left(end)) as bare,
        context.wrap_socket(bare, server_hostname=host, do_handshake_on_connect=False) as connection,
    ):
        connection.settimeout(_left(end))
        connection.do_handshake()
        connection.settimeout(_left(end))
        connection.sendall(request)
        answer = b""
        while b"\n" not in answer and len(answer) < _MOST:
            connection.settimeout(_left(end))
            part = connection.recv(_MOST - len(answer))
            if not part:
                break
            answer += part
    found = _STATUS.match(answer)
    if found is None:
        raise LibrarianError("the server's answer is not one of HTTP")
    return int(found.group(1))


def _left(end: float) -> float:
    left = end - stopwatch()
    if left <= 0:
        raise TimeoutError
    return left
