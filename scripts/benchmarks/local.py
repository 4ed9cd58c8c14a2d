"""Without a cluster: parsing, binning, the store, starting up; and the bytes of a site."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import asking, made
from benchmarks.table import Row
from benchmarks.tools import HERE, ROOT, command, progress, timed
from librarian.shared.resources import OBSERVABLES, Observable
from librarian.shared.scope import Scope
from librarian.shared.window import DAY, Window, window_until
from librarian.store import opened
from librarian.subjects.jobs import ask
from librarian.subjects.jobs.amounts import weights_of
from librarian.subjects.jobs.keep import Asked, JobRuns
from librarian.subjects.usage.binning import bin_jobs
from librarian.subjects.usage.summary import ended_by_bin
from librarian.system.processes import Answer

BASELINE_RUNS = 50_000
PICTURED = (".png", ".pdf")


def rows(runs: int) -> Iterator[Row]:
    """All of it, on `runs` job runs of 200 users in 30 days of hours."""
    yield from starting()
    yield from asking.rows()
    jobs, row = parsing(runs)
    yield row
    yield from binning(jobs)
    yield from storing(jobs)


def parsing(runs: int) -> tuple[pd.DataFrame, Row]:
    """The jobs table of made-up rows, and how long their text took to read."""
    progress(f"making {runs} rows")
    text = made.sacct_text(runs)
    answer = Answer(0, text.encode(), "")
    ours = timed(lambda: ask.parse(answer, "hpg"))
    floor = timed(lambda: made.read_csv(text))
    what = f"parse {runs:,} rows of sacct"
    row = Row(what, ours.wall, floor.wall, "pandas.read_csv, types given", 2, cpu=ours.cpu, memory=ours.mib)
    return ask.parse(answer, "hpg").jobs, row


def starting() -> Iterator[Row]:
    """What a command takes before it does anything."""
    bare = command([sys.executable, "-c", "pass"], 5)
    ours = command([sys.executable, "-c", "import librarian.cli"], 5)
    beside = "goal: beyond Python's own start"
    yield Row("import librarian.cli", ours.wall - bare.wall, None, beside, 0.06, cpu=ours.cpu, memory=ours.mib)
    with tempfile.TemporaryDirectory() as folder:
        config = made.configured(Path(folder), ("avery",))
        cycle(config, made.NOW, 10)
        program = [sys.executable, "-m", "librarian", "--config", str(config)]
        for word in ("status", "watchdog"):
            quiet = ["sh", "-c", '"$@" 2>/dev/null || :', "sh", *program, word]  # old data are what they tell of here
            ours = command(quiet, 5)
            yield Row(f"librarian {word}", ours.wall, None, "", 0.15, cpu=ours.cpu, memory=ours.mib)
        ours = command([*program, "report"], 5)
        yield Row("librarian report", ours.wall, None, "", asking.BEYOND, cpu=ours.cpu, memory=ours.mib)
        yield Row("librarian report, memory", ours.mib, None, "", asking.MEMORY, "MiB")


def binning(jobs: pd.DataFrame) -> Iterator[Row]:
    """Bins of an hour over 30 days."""
    window, drawn = window_until(made.NOW, seconds=30 * DAY, bin_seconds=3600, zone="US/Eastern"), OBSERVABLES[:4]
    shape = f"{made.USERS} users × {window.bins} bins × {len(drawn)}"
    few = jobs.iloc[:: max(1, len(jobs) // BASELINE_RUNS)].reset_index(drop=True)
    ours, looped = timed(lambda: bin_jobs(few, window, drawn)), timed(lambda: loop_over_bins(few, window, drawn), 1)
    yield Row(f"bin {len(few):,} runs, {shape}", ours.wall, looped.wall, "a loop over bins", None, memory=ours.mib)
    ours = timed(lambda: bin_jobs(jobs, window, drawn))
    yield Row(f"bin {len(jobs):,} runs, {shape}", ours.wall, None, "", 0.15, cpu=ours.cpu, memory=ours.mib)
    ours = timed(lambda: ended_by_bin(jobs, window))
    yield Row(f"count what ended of {len(jobs):,} runs", ours.wall, None, "", 0.1, cpu=ours.cpu, memory=ours.mib)


def loop_over_bins(
    jobs: pd.DataFrame, window: Window, observables: tuple[Observable, ...]
) -> dict[str, np.ndarray[Any, Any]]:
    """The plain way: for each bin the runs that overlap it, summed by user."""
    begin, end = jobs["start"].to_numpy(), np.minimum(jobs["end"].to_numpy(), window.now)
    user = jobs["user"].cat.codes.to_numpy()
    weights = {observable.key: weights_of(observable, jobs) for observable in observables}
    table = {key: np.zeros((made.USERS, window.bins)) for key in weights}
    for place in range(window.bins):
        overlap = np.minimum(end, window.edges[place + 1]) - np.maximum(begin, window.edges[place])
        inside = overlap > 0
        for key, weight in weights.items():
            held = weight[inside] * overlap[inside]
            table[key][:, place] = [held[user[inside] == one].sum() for one in range(made.USERS)]
    return table


def storing(jobs: pd.DataFrame) -> Iterator[Row]:
    """Into the store and out of it."""
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "bench.sqlite", "hpg") as store:
        asked = Asked(0, made.NOW, 0.0, full=True)
        ours = timed(lambda: JobRuns(store).add(Scope("hpg", "avery"), asked, jobs, ()), 1)
        yield Row(f"store {len(jobs):,} runs", ours.wall, cpu=ours.cpu, memory=ours.mib)
        ours = timed(lambda: JobRuns(store).jobs(Scope("hpg", "avery"), 0), 1)
        yield Row(f"load {len(jobs):,} runs from the store", ours.wall, cpu=ours.cpu, memory=ours.mib)


# a site of two QoS with 41 users


def cycle(config: Path, now: int, runs: int) -> list[str]:
    """Run one cycle; returns its command line."""
    argv = [sys.executable, str(HERE / "cycle.py"), str(config), str(now), str(runs)]
    subprocess.run(argv, check=True, timeout=3600)
    return argv


def site_bytes() -> Iterator[Row]:
    """What readers load and what a push sends, for two QoS of 41 users and 2,000 runs each."""
    progress("a site of two QoS with 41 users each")
    with tempfile.TemporaryDirectory() as name:
        folder, names, sent = Path(name), ("avery", "avery-b"), {}
        config = made.configured(folder, names)
        fill_state(folder, names)
        for turn in range(2):
            cycle(config, made.NOW + 600 * turn, 3)
            sent = {left_out: pushed(folder, names, left_out) for left_out in ((), PICTURED)}
        site = {path.name: path.read_bytes() for path in (folder / "site").iterdir()}
    data = max(len(gzip.compress(site[f"data_{qos}.json"], 6)) for qos in names)
    yield Row("JSON of 41 users, gzip", data / 1000, None, "", 100, "KB")
    yield from whole_site("two QoS of 41 users who never rest", site)
    yield from whole_site("the two QoS of the demo", demo_site())
    yield Row("a steady push", sent[()] / 1000, unit="KB")
    yield Row("a steady push without pictures", sent[PICTURED] / 1000, None, "", 20, "KB")


def whole_site(whose: str, site: Mapping[str, bytes]) -> Iterator[Row]:
    """All files of a site but Plotly's and pictures, how much of that is promised to programs, and the pictures."""
    sizes = {name: len(data) / 1000 for name, data in site.items() if not name.startswith("plotly")}
    drawn = sum(size for name, size in sizes.items() if name.endswith(PICTURED))
    promised = sum(size for name, size in sizes.items() if name.endswith((".json", ".csv.gz")))
    whole = f"site without Plotly and pictures, {whose}"
    yield Row(whole, sum(sizes.values()) - drawn, None, "", 1000, "KB")
    yield Row("of that, JSON and tables for programs", promised, unit="KB")
    yield Row("beside it, pictures", drawn, unit="KB")


def demo_site() -> Mapping[str, bytes]:
    """The files of the demo's site: a group that works by day, and has five months behind it."""
    progress("the demo's site")
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.executable, "-m", "librarian", "--quiet", "demo", "--once", "--output", folder]
        subprocess.run(program, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def pushed(folder: Path, names: tuple[str, ...], left_out: tuple[str, ...]) -> int:
    """Push the site as it is now, without files of these endings, to a repository of its own; the bytes that went."""
    place = folder / f"push{len(left_out)}"
    if not place.exists():
        place.mkdir()
        subprocess.run(["git", "init", "-q", "--bare", str(place / "remote.git")], check=True)
        push = '[[publish]]\nkind = "github-pages"\nremote = "remote.git"\nmin_interval_seconds = 0\n'
        made.configured(place, names, push)
    shutil.rmtree(place / "site", ignore_errors=True)
    shutil.copytree(folder / "site", place / "site", ignore=shutil.ignore_patterns(*(f"*{end}" for end in left_out)))
    program = [sys.executable, "-m", "librarian", "--config", str(place / "librarian.toml"), "publish"]
    subprocess.run(program, check=True, cwd=ROOT)
    told = json.loads(next((place / "state").glob("*.publish.json")).read_text(encoding="utf-8"))
    return int(told["publishers"][0]["bytes_sent"])


def fill_state(folder: Path, names: tuple[str, ...], runs: int = 2000) -> None:
    """The window's runs, nine hours long on average, as if they had been collected."""
    (folder / "state").mkdir()
    with opened(folder / "state" / "hpg.sqlite", "hpg") as store:
        for place, qos in enumerate(names):
            text = made.sacct_text(runs, seed=place, users=41, first=2**40 + place * runs, mean=9 * 3600, qos=qos)
            jobs = ask.parse(Answer(0, text.encode(), ""), "hpg").jobs
            JobRuns(store).add(
                Scope("hpg", qos), Asked(made.NOW - 32 * DAY, made.NOW - 600, 1.0, len(jobs), full=True), jobs, ()
            )
