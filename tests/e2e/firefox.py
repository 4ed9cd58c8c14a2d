"""A Firefox without a window, told what to do over Marionette: messages of JSON, each after its length.

Playwright drives only a Firefox of its own, and what people have is the one of their system; geckodriver would be one
more program to install for a dozen commands.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.patience import stretched, wait_for

PROGRAMS = ("firefox-esr", "firefox")
MISSING = "firefox is missing: apt-get install --no-install-recommends firefox-esr"
PATIENCE = 60  # seconds
_PORT = "MarionetteActivePort"
_PREFERENCES = {
    "marionette.port": 0,  # any that is free
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "security.sandbox.content.level": 0,  # it needs name spaces, which a container may not have
}
_COMPLAINTS = """
const found = Services.console.getMessageArray().filter((one) => one instanceof Ci.nsIScriptError);
return found.map((one) => [one.category, one.sourceName, one.errorMessage]);
"""


class Firefox:
    """A session: pages are opened and asked by script."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._answers, self._numbers = connection, connection.makefile("rb"), count()
        self._message()  # which protocol it speaks
        self._command("WebDriver:NewSession")

    def open(self, address: str) -> None:
        """Open a page; returns when it has loaded."""
        self._command("WebDriver:Navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """What an expression of JavaScript comes to in the page."""
        return self._script(f"return {expression};")

    def until(self, expression: str) -> None:
        """Wait until it comes to something true."""
        wait_for(lambda: bool(self.evaluate(expression)), expression)

    def complaints(self, address: str) -> list[str]:
        """What the console holds of scripts, policies and styles of pages below `address`."""
        self._command("Marionette:SetContext", value="chrome")
        try:
            told = self._script(_COMPLAINTS)
        finally:
            self._command("Marionette:SetContext", value="content")
        return [f"{category}: {said}" for category, source, said in told if source.startswith(address)]

    def _script(self, script: str) -> Any:
        return self._command("WebDriver:ExecuteScript", script=script, args=[])["value"]

    def _command(self, name: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        told = json.dumps([0, number, name, parameters]).encode()
        self._connection.sendall(b"%d:%b" % (len(told), told))
        _, answered, error, result = self._message()
        assert (answered, error) == (number, None), f"{name}: {error}"
        return result

    def _message(self) -> Any:
        size = b""
        while not size.endswith(b":"):
            byte = self._answers.read(1)
            assert byte, "Firefox has ended"
            size += byte
        return json.loads(self._answers.read(int(size[:-1])))


def firefox_path() -> str | None:
    """Where it is, None where it is not."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def firefox(program: str, folder: Path) -> Iterator[Firefox]:
    """One with a new profile in `folder`, which ends at the end."""
    folder.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items()]
    (folder / "user.js").write_text("".join(lines))
    argv = [program, "--headless", "--marionette", "-remote-allow-system-access", "--profile", folder, "about:blank"]
    home = {**os.environ, "HOME": str(folder)}
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home) as process:
        try:
            with socket.create_connection(("127.0.0.1", _port(process, folder)), stretched(PATIENCE)) as connection:
                yield Firefox(connection)
        finally:
            process.kill()


def _port(process: subprocess.Popen[bytes], folder: Path) -> int:
    def told() -> bool:
        assert process.poll() is None, f"Firefox has ended with {process.returncode}"
        return (folder / _PORT).is_file() and (folder / _PORT).read_text().isdigit()

    wait_for(told, "Firefox to be ready")
    return int((folder / _PORT).read_text())
