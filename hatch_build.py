"""Build hook: puts the small Plotly bundle that dashboard/ pins into the wheel, where npm can fetch it.

Where it cannot, the wheel is built without: at run time `librarian.site.assets` then takes the bundle of the Python
package `plotly`, which is larger but always there.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "plotly.js-basic-dist-min"
# File of the npm package -> its name in the wheel.
FILES = {"plotly-basic.min.js": "plotly-basic.min.js", "LICENSE": "plotly-basic.LICENSE.txt"}
TARGET = "librarian/_assets/vendor"
TIMEOUT_SECONDS = 120


class PlotlyHook(BuildHookInterface[Any]):
    """Adds the bundle and its licence to a wheel; an editable installation has dashboard/node_modules instead."""

    _work: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the wheel is written; `version` is "standard" or "editable"."""
        if version == "editable":
            return
        self._work = Path(tempfile.mkdtemp(prefix="librarian-build-"))
        package = self._work / "node_modules" / PACKAGE
        problem = fetch(Path(self.root) / "dashboard", self._work)
        missing = [name for name in FILES if not (package / name).is_file()]
        if not problem and missing:
            problem = f"{PACKAGE} has no {', '.join(missing)}"
        if problem:
            self.app.display_warning(f"Without the small Plotly bundle: {problem}; the page will use package plotly's.")
            return
        for name, name_in_wheel in FILES.items():
            build_data["force_include"][str(package / name)] = f"{TARGET}/{name_in_wheel}"
        self.app.display_info(f"With the small Plotly bundle of {PACKAGE}.")

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called when the wheel stands: remove the working copy."""
        if self._work is not None:
            shutil.rmtree(self._work, ignore_errors=True)


def fetch(dashboard: Path, work: Path) -> str:
    """Install the locked npm packages into `work`, which leaves the checkout as it is; what went wrong, or ""."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not on PATH"
    for name in ("package.json", "package-lock.json"):
        shutil.copy(dashboard / name, work / name)
    command = [npm, "ci", "--ignore-scripts", "--omit=dev", "--prefer-offline", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm did not end within {TIMEOUT_SECONDS} s"
    except OSError as error:
        return f"npm could not be started: {error.strerror}"
    return "" if done.returncode == 0 else f"npm failed: {reason(done.stderr.decode('utf-8', 'replace'))}"


def reason(stderr: str) -> str:
    """The first line of npm's error messages that says something, in at most 200 characters."""
    lines = [line.partition("error ")[2].strip() for line in stderr.splitlines() if "error " in line]
    told = [line for line in lines if line and not line.startswith(("code ", "errno ", "syscall "))]
    return (told or lines or ["it gave no reason"])[0][:200]
