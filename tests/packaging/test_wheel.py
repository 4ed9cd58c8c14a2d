"""The wheel as a user gets it: built from the source distribution, installed into an empty environment, run from afar.

Without build isolation and with the dependencies of the environment that runs the tests, so that it takes seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

import librarian
from librarian.site import assets

CHECKOUT = Path(__file__).resolve().parents[2]
VENDOR = "librarian/_assets/vendor/"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Wheel:
    """A built wheel, the names in it, and what the build said."""

    path: Path
    names: frozenset[str]
    said: str


def run(*argv: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    """Standard output and error of a command; fails with both when it fails."""
    done = subprocess.run(
        argv, check=False, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    assert done.returncode == 0, f"{argv} returned {done.returncode}:\n{done.stdout}"
    return done.stdout


def build(target: Path, path: str, *options: str) -> Wheel:
    """Build with `path` as PATH."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, *options, CHECKOUT]
    said = run(*command, cwd=target.parent, env={**os.environ, "PATH": path})
    (wheel,) = target.glob("*.whl")
    return Wheel(wheel, frozenset(zipfile.ZipFile(wheel).namelist()), said)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Wheel:
    """The wheel, built from the source distribution with whatever is at hand."""
    return build(tmp_path_factory.mktemp("dist") / "wheel", os.environ["PATH"])


@pytest.fixture(scope="module")
def environment(wheel: Wheel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it, which sees this one's packages after its own."""
    folder = tmp_path_factory.mktemp("an environment") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel.path,
        cwd=folder,
    )
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    ours = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (Path(site) / "dependencies.pth").write_text("\n".join(ours) + "\n", encoding="utf-8")
    return folder


def clean_environment(home: Path) -> dict[str, str]:
    """This process's environment without what would lead the installed command back to the checkout."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "LIBRARIAN", "XDG_"))}
    return {**kept, "HOME": str(home), "MPLBACKEND": "agg"}


def test_the_wheel_carries_what_the_page_is_made_of(wheel: Wheel) -> None:
    expected = {f"librarian/_assets/templates/{name}" for name in assets.templates()}
    expected |= {f"librarian/_assets/dashboard/{name}" for name in assets.dashboard()}
    assert expected <= wheel.names


def test_the_wheel_carries_every_module(wheel: Wheel) -> None:
    modules = {path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "librarian").rglob("*.py")}
    assert modules <= wheel.names


def test_the_wheel_carries_nothing_else(wheel: Wheel) -> None:
    tops = {name.partition("/")[0] for name in wheel.names}
    assert tops == {"librarian", f"slurm_librarian-{librarian.__version__}.dist-info"}
    unwanted = ("node_modules", ".test.js", "tests/", "__pycache__", "package.json", "package-lock.json", "/.")
    assert not [name for name in wheel.names for part in unwanted if part in name]
    of_the_page = {name for name in wheel.names if name.startswith("librarian/_assets/dashboard/")}
    assert of_the_page == {f"librarian/_assets/dashboard/{name}" for name in assets.dashboard()}


def test_the_licence_goes_with_both_and_is_named(wheel: Wheel) -> None:
    text = (CHECKOUT / "LICENSE").read_bytes()
    assert text.startswith(b"MIT License\n\nCopyright (c) 2026 The Librarian developers\n")
    (source,) = wheel.path.parent.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        kept = archive.extractfile(f"slurm_librarian-{librarian.__version__}/LICENSE")
        assert kept is not None
        assert kept.read() == text
    info = f"slurm_librarian-{librarian.__version__}.dist-info"
    with zipfile.ZipFile(wheel.path) as packed:
        assert packed.read(f"{info}/licenses/LICENSE") == text
        told = packed.read(f"{info}/METADATA").decode().splitlines()
    assert {"License-Expression: MIT", "License-File: LICENSE"} <= set(told)


def test_with_npm_the_wheel_carries_the_small_plotly_and_its_licence(wheel: Wheel) -> None:
    if shutil.which("npm") is None:
        assert "npm is not on PATH" in wheel.said
        pytest.skip("npm is not on PATH")
    assert {f"{VENDOR}plotly-basic.min.js", f"{VENDOR}plotly-basic.LICENSE.txt"} <= wheel.names, wheel.said


def test_without_npm_the_wheel_is_built_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "no programs").mkdir()
    wheel = build(tmp_path / "wheel", str(tmp_path / "no programs"), "--wheel")
    assert "Without the small Plotly bundle: npm is not on PATH" in wheel.said
    assert not [name for name in wheel.names if name.startswith(VENDOR)]


def test_with_an_npm_that_fails_the_wheel_is_built_all_the_same(tmp_path: Path) -> None:
    npm = tmp_path / "programs" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'npm error code EAI' >&2\necho 'npm error the registry is away' >&2\nexit 1\n")
    npm.chmod(0o755)
    wheel = build(tmp_path / "wheel", str(npm.parent), "--wheel")
    assert "Without the small Plotly bundle: npm failed: the registry is away;" in wheel.said
    assert not [name for name in wheel.names if name.startswith(VENDOR)]


def test_the_command_runs_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    env = clean_environment(tmp_path)
    assert librarian.__version__ in run(environment / "bin" / "librarian", "--version", cwd=tmp_path, env=env)
    program = "import librarian.site.assets as a; print(a.__file__, a.plotly().path)"
    where = run(environment / "bin" / "python", "-c", program, cwd=tmp_path, env=env)
    assert where.startswith(str(environment))


def test_the_demo_runs_from_the_wheel(environment: Path, tmp_path: Path) -> None:
    site = tmp_path / "a site"
    run(
        environment / "bin" / "librarian",
        "demo",
        "--once",
        "--output",
        site,
        cwd=tmp_path,
        env=clean_environment(tmp_path),
    )
    assert (site / "index.html").stat().st_size > 10_000
    reports = sorted(site.rglob("data_*.json"))
    assert reports
    assert all(json.loads(path.read_text(encoding="utf-8")) for path in reports)
    pictures = sorted(site.rglob("*.png"))
    assert pictures
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert list(site.rglob("plotly-*.min.js"))
