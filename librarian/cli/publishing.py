"""`librarian publish`, and `librarian init --pages`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from librarian.cli import common
from librarian.errors import ConfigError, LibrarianError, PublishError, SiteError
from librarian.shared.words import amount, counted
from librarian.system import host

if TYPE_CHECKING:
    from librarian.config.setup import Setup
    from librarian.publish import Publisher


def publish(options: argparse.Namespace) -> int:
    """Site to publishers; or what would happen, or whether it can."""
    from librarian.cycle import stages

    setup = common.setup_of(options)
    if not setup.config.publish:
        raise ConfigError("there is nothing to publish to", todo="add a [[publish]] table to the configuration")
    with common.alone(setup):
        if options.check or options.dry_run:
            return _look(setup, check=options.check)
        return common.tell(stages.publish(setup, host.clock()))


def _look(setup: Setup, *, check: bool) -> int:
    """Say what would be done, or could; 6 when something is not well."""
    from librarian.publish import delivery
    from librarian.site import folder

    if not folder.is_site(setup.places.site):
        raise SiteError(f"there is no site in {setup.places.site}", todo="run: librarian run")
    made, problems = delivery.senders(setup.config.publish, setup.places.base, setup.places.scratch)
    for problem in problems:
        print(f"librarian: {problem}", file=sys.stderr)
    show = _show_check if check else _show_plan
    well = [show(sender, setup.places.site) for sender in made]
    return 0 if all(well) and not problems else PublishError.exit_status


def _show_check(sender: Publisher, site: Path) -> bool:
    from librarian.publish import delivery

    findings = delivery.checked(sender, site, host.clock())
    print(f"{sender.kind}: {sender.describe()}")
    for found in findings:
        print(f"  {'ok  ' if found.well else 'FAIL'}  {found.text}")
    return all(found.well for found in findings)


def _show_plan(sender: Publisher, site: Path) -> bool:
    from librarian.publish import delivery

    try:
        plan = delivery.planned(sender, site, host.clock())
    except LibrarianError as error:
        print(f"librarian: {sender.describe()}: {error}", file=sys.stderr)
        return False
    print(f"{sender.kind}: {plan.target}" + (f" ({plan.note})" if plan.note else ""))
    print(f"  {counted(len(plan.files), 'file')}, {counted(sum(plan.files.values()), 'byte')}")
    if plan.changed is None:
        print("  all of them would be sent")
    else:
        size = counted(sum(plan.files[name] for name in plan.changed), "byte")
        print(f"  {amount(len(plan.changed))} new or changed, {size}")
        for name in plan.changed:
            print(f"    {name}  {amount(plan.files[name])}")
    return True


def init_pages(options: argparse.Namespace, target: Path, text: str) -> int:
    """Put the publisher for GitHub Pages into the configuration `text`, write that, and say what is left to do."""
    from librarian import config
    from librarian.config import setup as configfile
    from librarian.publish import delivery, pages_setup

    owner, name = pages_setup.repository(options.pages)
    remote, environment = pages_setup.remote_of(owner, name), host.environment()
    before = configfile.setup(config.parse(text, str(target)), target.absolute().parent, environment)
    key = before.places.state / pages_setup.KEY
    added = pages_setup.with_pages(text, str(target), remote, key)
    configfile.write(target, added)
    setup = configfile.load(target, environment)
    made = delivery.senders(setup.config.publish, setup.places.base, setup.places.scratch)[0]
    sender = next(one for one in made if remote in one.describe())
    findings = delivery.checked(sender, setup.places.site, host.clock())
    print(f"{target} publishes to {sender.describe()}")
    for found in findings:
        print(f"  {'ok  ' if found.well else 'FAIL'}  {found.text}")
    for line in pages_setup.steps(owner, name, findings, key):
        print(line if line.startswith(" ") else f"- {line}")
    return 0
