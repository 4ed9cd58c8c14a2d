"""`librarian status`, `doctor` and `store`."""

from __future__ import annotations

import argparse
from pathlib import Path

from librarian.cli import common
from librarian.shared.words import counted
from librarian.system import host


def status(options: argparse.Namespace) -> int:
    """How things stand, how old the data are, what was rejected."""
    setup = common.setup_of(options)
    if options.timings or options.picture:
        from librarian.cli.timings import timings

        return timings(options, setup)
    from librarian.cycle.parts import facts, status_file
    from librarian.health import overview

    file = status_file(setup)
    if options.json:
        text, code = overview.as_json(file, host.clock(), setup.zone)
        print(text)
        return code
    lines, code = overview.describe(file, host.clock(), setup.zone, facts(setup))
    print("\n".join(lines))
    scopes = [setup.config.scope(entry) for entry in setup.config.qos]
    if options.rejects:
        from librarian.subjects.jobs import rejected

        print("\n".join(rejected.lines(setup.places.store, scopes)))
    if options.runaways:
        from librarian.subjects.jobs import runaway_lines

        print("\n".join(runaway_lines.lines(setup.places.store, scopes, host.clock())))
    return code


def doctor(options: argparse.Namespace) -> int:
    """Look through everything that must be right."""
    from librarian import doctor as room

    findings = room.examine(options.config, host.environment(), host.clock())
    print(room.as_json(findings) if options.json else "\n".join(room.as_text(findings)))
    return room.verdict(findings)


def store(options: argparse.Namespace) -> int:
    """Look through the store, take a copy of it, or put a copy in its place."""
    from librarian import store as room

    setup = common.setup_of(options)
    place = setup.places.store
    if options.what == "check":
        return _check(place)
    target = Path(options.file).absolute()
    if options.what == "export":
        room.export(place, target)
        size = counted(target.stat().st_size, "byte")
        print(f"wrote {target} ({size}); it holds the names of users as Slurm tells them")
        return 0
    with common.alone(setup):
        aside = room.take_in(target, place, setup.config.cluster.name, host.clock())
    print(f"{place} is a copy of {target} now" + (f"; the store before is {aside}" if aside else ""))
    return 0


def _check(place: Path) -> int:
    from librarian import store as room
    from librarian.errors import StoreError

    found = room.check(place)
    print(f"{found.path}: {counted(found.size, 'byte')}, schema {found.schema}")
    for name, count in found.rows.items():
        print(f"  {name}: {counted(count, 'row')}")
    for problem in found.problems:
        print(f"  damaged: {problem}")
    copies = room.copies(place)
    for when, copy in copies:
        print(f"  a copy of {host.utc(when)}: {copy} ({copy.stat().st_size} bytes)")
    instead = "puts the newest good copy in its place" if copies else "builds it anew from Slurm"
    print(f"it is damaged: the next run {instead}" if found.problems else "it is whole")
    return StoreError.exit_status if found.problems else 0
