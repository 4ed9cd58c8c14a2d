#!/usr/bin/env python3
"""The plain way to the same pictures, to measure ours beside: `plain.py FOLDER QOS [QOS...]`.

For each QoS it asks sacct for 30 days with every row and every step, goes through the 720 hours one by one and sums by
user, and draws with pyplot: a chart for each of CPUs, GPUs, memory and jobs, and all of them on one sheet, as PNG and
PDF; and the same numbers as JSON. It needs pandas and matplotlib, and nothing of Librarian's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd

HOUR, HOURS = 3600, 720
FIELDS = "JobID,User,Account,QOS,State,Submit,Start,End,AllocTRES"
KINDS = {"cpus": "cpu", "gpus": "gres/gpu", "memory": "mem"}


def main() -> None:
    """Ask, sum and draw each QoS."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    folder.mkdir(parents=True, exist_ok=True)
    now = int(time.time())
    for name in names:
        jobs = asked(name, now)
        sums = summed(jobs, now)
        draw(sums, folder, name)
        told = {kind: {user: list(row) for user, row in table.items()} for kind, table in sums.items()}
        (folder / f"{name}.json").write_text(json.dumps({"now": now, "means": told}))


def asked(name: str, now: int) -> pd.DataFrame:
    """Every run of 30 days: all rows of sacct's, steps included, of which those of steps are left out."""
    begin = now - HOURS * HOUR
    command = ["sacct", "-a", "-D", "-P", "-S", f"uts{begin}", "-E", f"uts{now}", f"--qos={name}", "-o", FIELDS]
    environment = {**os.environ, "TZ": "UTC", "SLURM_TIME_FORMAT": "%s"}
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    rows = []
    heads, *lines = text.splitlines()
    for line in lines:
        row = dict(zip(heads.split("|"), line.split("|"), strict=False))
        if "." in row["JobID"] or not row["Start"].isdigit():
            continue
        end = int(row["End"]) if row["End"].isdigit() else now
        amounts = {kind: amount(row["AllocTRES"], word) for kind, word in KINDS.items()}
        rows.append({"user": row["User"], "start": int(row["Start"]), "end": end, **amounts, "jobs": 1.0})
    return pd.DataFrame(rows, columns=["user", "start", "end", *KINDS, "jobs"])


def amount(tres: str, word: str) -> float:
    """How much of `word` is in a text such as cpu=4,mem=16G; memory in GiB."""
    found = re.search(rf"(?:^|,){re.escape(word)}=([0-9.]+)([KMGT]?)", tres)
    if not found:
        return 0.0
    return float(found[1]) * {"": 1.0, "K": 2.0**-20, "M": 2.0**-10, "G": 1.0, "T": 1024.0}[found[2]]


def summed(jobs: pd.DataFrame, now: int) -> dict[str, dict[str, list[float]]]:
    """Means by kind, user and hour: for each hour the runs that overlap it."""
    users = sorted(jobs["user"].unique())
    means: dict[str, dict[str, list[float]]] = {kind: {user: [] for user in users} for kind in (*KINDS, "jobs")}
    for hour in range(HOURS):
        low = now - (HOURS - hour) * HOUR
        inside = jobs[(jobs["start"] < low + HOUR) & (jobs["end"] > low)]
        seconds = inside["end"].clip(upper=low + HOUR) - inside["start"].clip(lower=low)
        held = inside[["user"]].assign(**{kind: inside[kind] * seconds / HOUR for kind in means})
        for user in users:
            mine = held[held["user"] == user]
            for kind, table in means.items():
                table[user].append(float(mine[kind].sum()))
    return means


def draw(means: dict[str, dict[str, list[float]]], folder: Path, name: str) -> None:
    """Five pictures, each as PNG and PDF."""
    for kind, table in means.items():
        figure, axes = plt.subplots(figsize=(10, 5.6))
        stack(axes, table, kind)
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=6)
        save(figure, folder / f"{name}_{kind}")
    figure, grid = plt.subplots(2, 2, figsize=(13, 8))
    for axes, (kind, table) in zip(grid.flat, means.items(), strict=True):
        stack(axes, table, kind)
    save(figure, folder / f"{name}_overview")


def stack(axes: Any, table: dict[str, list[float]], kind: str) -> None:
    """A stacked chart with a layer a user."""
    axes.stackplot(range(HOURS), list(table.values()), labels=list(table), step="post")
    axes.set_title(kind)


def save(figure: Any, path: Path) -> None:
    """Both formats."""
    figure.savefig(path.with_suffix(".png"), dpi=120)
    figure.savefig(path.with_suffix(".pdf"))
    plt.close(figure)


if __name__ == "__main__":
    main()
