"""The words that the leak check cannot tell from a name in a sentence are those of the program's own texts."""

import pytest

from librarian.privacy.vocabulary import VOCABULARY
from tests.unit import vocabulary


@pytest.mark.slow
def test_the_list_is_that_of_the_source() -> None:
    assert vocabulary.TARGET.read_text(encoding="utf-8") == vocabulary.source(), "run: python -m tests.unit.vocabulary"
    assert frozenset(vocabulary.vocabulary()) == VOCABULARY


def test_words_of_sentences_are_in_it_and_identifiers_and_comments_are_not() -> None:
    assert {"jobs", "window", "total", "suspended"} <= VOCABULARY
    assert not {"bin_jobs", "held_share", "cleverness", "mferrari"} & VOCABULARY
