"""Secrets (a password, a token, the address of a webhook) lie in files that their owner alone can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from librarian.errors import ConfigError

LARGEST = 4096  # bytes


def secret(path: Path) -> str:
    """The only line of a file that its owner alone can read. Raises `ConfigError`, which does not tell it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would be waited for
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
                raise ConfigError(f"{path} is not a file that you alone can read", todo="chmod 600")
            text = file.read(LARGEST + 1).decode("utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", error.strerror or "") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} holds no text") from None
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0] or len(text) > LARGEST or not lines[0].isprintable():
        raise ConfigError(f"{path} does not hold one line")
    return lines[0]
