"""What readers of the site are told of a failure: one of these sentences, and never what a command said.

They stand behind a colon, as in "Nothing newer is known: Slurm did not answer."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from librarian.errors import Trouble

WORDS: Mapping[Trouble, str] = {
    Trouble.FAILED: "a step failed",
    Trouble.UNEXPECTED: "an unexpected error",
    Trouble.STOPPED: "the run was stopped",
    Trouble.TOO_SLOW: "it took longer than it may",
    Trouble.BUSY: "another run was going on",
    Trouble.CONFIG: "the configuration has mistakes",
    Trouble.STORE: "the stored data cannot be used",
    Trouble.SITE: "a part of the page could not be made",
    Trouble.PUBLISH: "the page could not be published",
    Trouble.NOTHING_YET: "nothing was collected yet",
    Trouble.NOT_COMPUTED: "computing it failed",
    Trouble.NOT_DRAWN: "it could not be drawn",
    Trouble.SLURM: "Slurm gave no answer that can be used",
    Trouble.NO_ANSWER: "Slurm did not answer",
    Trouble.COMMAND: "a command of Slurm's failed",
    Trouble.TOO_WIDE: "Slurm does not answer for so long a time at once",
    Trouble.CUT_OFF: "Slurm's answer was cut off",
    Trouble.NOT_UNDERSTOOD: "Slurm's answer was not understood",
    Trouble.LEFT_OUT: "some of Slurm's rows were not understood and are left out",
    Trouble.NOT_BELIEVED: "Slurm's answer contradicts what is known, and is asked for again",
    Trouble.HIDDEN: "Slurm hides the jobs of others",
    Trouble.NO_SUCH_NAME: "Slurm knows no cluster or QoS of that name",
    Trouble.NARROWED: "a setting of the reporting user lets Slurm tell a part only",
}


def words_of(troubles: Iterable[Trouble]) -> str:
    """What readers are told of these, each once."""
    return "; ".join(dict.fromkeys(WORDS[trouble] for trouble in troubles)) or WORDS[Trouble.FAILED]


def told(trouble: Trouble | None) -> str | None:
    """What readers are told of one; None of none."""
    return None if trouble is None else WORDS[trouble]


def retold(text: str) -> str:
    """A reason on a site as it may stay there: sites of 0.1.0 tell what a command said."""
    return text if text in WORDS.values() else WORDS[Trouble.FAILED]


def stored(trouble: Trouble | None) -> str | None:
    """How one is kept."""
    return None if trouble is None else trouble.value


def restored(error: str | None, value: str | None) -> Trouble | None:
    """The kind of a failure that was kept as `value`, with the words for the operator; None where nothing failed.

    What older releases kept has no kind, and newer ones may know others.
    """
    if error is None:
        return None
    return next((trouble for trouble in Trouble if trouble.value == value), Trouble.SLURM)
