"""`librarian status --timings`: what cycles spent, as a table, as JSON, and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from librarian.errors import ConfigError, SiteError
from librarian.health import timings as values
from librarian.health import timings_file
from librarian.health.timings import DAEMONS, WHOLE, Profile
from librarian.shared.calendar import clock
from librarian.system import host

if TYPE_CHECKING:
    import argparse

    from librarian.config.setup import Setup


def timings(options: argparse.Namespace, setup: Setup) -> int:
    """Print what cycles spent. Raises `ConfigError` for options that do not go together, `SiteError` where the picture
    cannot be written."""
    others = [name for name in ("rejects", "runaways") if getattr(options, name)]
    if others or not options.timings:
        what = f"--{others[0]} does not go with --timings" if others else "--picture needs --timings"
        raise ConfigError(what)
    found = values.profile(timings_file.read(setup.places.state), host.clock())
    cluster = setup.config.cluster.name
    if options.picture:
        _draw(Path(options.picture), found, cluster, setup.zone)
    when = clock(found.last.at, setup.zone) if found.last else ""
    print(values.as_json(found, cluster) if options.json else "\n".join(values.as_text(found, when)))
    return 0


def _draw(path: Path, found: Profile, cluster: str, zone: str) -> None:
    """Write the picture of at least one cycle."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from librarian.render.pictures import timings as pictures

    if found.last is None:
        raise SiteError(
            "there is nothing to draw", "no cycles measured in the last 30 days", "each librarian run measures one"
        )
    times = [datetime.fromtimestamp(cycle.at, ZoneInfo(zone)) for cycle in found.cycles]
    stages = [part for part in (row.part for row in found.rows) if part == WHOLE or (part[0] and not any(part[1:]))]
    seconds = {
        part[0] or "the whole run": [
            cycle.parts[part].seconds if part in cycle.parts else 0.0 for cycle in found.cycles
        ]
        for part in stages
    }
    commands = {f"to {daemon}": [cycle.commands(daemon) for cycle in found.cycles] for daemon in DAEMONS}
    bars = [
        (
            " · ".join(name for name in row.part if name) or "the whole run",
            row.day.median.seconds,
            row.day.largest.seconds,
        )
        for row in found.rows
    ]
    title = f"What a cycle of Librarian spends on {cluster}"
    told = "; ".join(f"{load.day} commands to {daemon} in the last day" for daemon, load in found.load.items())
    foot = f"{told}. {len(found.cycles)} cycles up to {clock(found.last.at, zone)}"
    data = pictures.draw(title, foot, times, seconds, commands, bars)
    try:
        host.write_atomic(path, data)
    except OSError as error:
        raise SiteError(f"{path} cannot be written", str(error.strerror or error)) from error
