#!/usr/bin/env python3
"""What matplotlib alone takes to save the pictures of one cycle: `savefig.py CONFIG [NOW]` prints wall and CPU seconds.

A cycle is run (at NOW, a UTC epoch), and its finished figures are saved by `Figure.savefig` as PNG and as PDF; nothing
else is counted.
"""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from matplotlib.figure import Figure

from librarian.config import setup as configfile
from librarian.cycle import stages
from librarian.render.pictures import figure as figures
from librarian.slurm.command import Slurm
from librarian.system.host import clock, environment

taken = {"wall": 0.0, "cpu": 0.0, "pictures": 0}


def saved(name: str, figure: Figure) -> figures.Picture:
    """Both formats, as the library makes them."""
    png, pdf = io.BytesIO(), io.BytesIO()
    wall, cpu = time.perf_counter(), time.process_time()
    figure.savefig(png, format="png", dpi=figures.DPI)
    figure.savefig(pdf, format="pdf")
    taken["wall"] += time.perf_counter() - wall
    taken["cpu"] += time.process_time() - cpu
    taken["pictures"] += 1
    return figures.Picture(name, png.getvalue(), pdf.getvalue())


def main() -> None:
    """One cycle without publishing."""
    figures.saved = saved
    setup = configfile.load(Path(sys.argv[1]), environment())
    slurm = Slurm(setup.config.slurm.bin_dir, setup.config.slurm.timeout_seconds)
    now = int(sys.argv[2]) if sys.argv[2:] else clock()
    for problem in (*stages.collect_all(setup, slurm, now), *stages.render(setup, now)):
        raise problem
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
