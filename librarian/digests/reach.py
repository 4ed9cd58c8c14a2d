"""Where a digest goes: whose address is which, who gets none. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from librarian.config.digest_options import DigestOptions
from librarian.config.mail_options import is_mail_address


@dataclass(frozen=True)
class Way:
    """By mail to `address`, as a file, or (neither) not at all; `why` says so in words."""

    address: str = ""
    file: bool = False
    why: str = ""

    @property
    def is_none(self) -> bool:
        """Whether it goes nowhere."""
        return not (self.address or self.file)


def way_to(options: DigestOptions, user: str) -> Way:
    """How `user` is reached. A name that is no plain part of an address is never put into one."""
    if not options.members:
        return Way(why="members = false")
    if user in options.opt_out:
        return Way(why="opt_out")
    if options.opt_in and user not in options.opt_in:
        return Way(why="not in opt_in")
    address = options.addresses.get(user)
    if address is None and options.pattern:
        made = options.pattern.replace("{user}", user)
        address = made if "@" not in user and is_mail_address(user) and is_mail_address(made) else None
    if address:
        return Way(address, why=address)
    return Way(file=True, why="a file") if options.folder else Way(why="no address")
