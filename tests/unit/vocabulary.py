"""The words of the sentences that the program publishes, read from its source: for `librarian/privacy/vocabulary.py`.

python -m tests.unit.vocabulary      # writes that file anew
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

from librarian.privacy.rules import words
from tests.places import ROOT

CODE = ROOT / "librarian"
TARGET = CODE / "privacy" / "vocabulary.py"
# Rooms whose texts may come to stand in a file of the site: what is shown, errors that become reasons, the status.
PUBLISHING = (
    *("cycle", "errors.py", "health", "publish", "render", "shared"),
    *("site", "slurm", "store", "subjects", "system"),
)
_HEAD = '''"""The words of the program's own sentences, in files of the site.

A name of somebody that is also such a word ("now", "total") cannot be told from it in a sentence. The list is made from
the texts in the program's source by `python -m tests.unit.vocabulary`; a test holds the two together.
"""

VOCABULARY = frozenset(
    """
'''
_FOOT = '''    """.split()  # noqa: SIM905 (as a list of literals it would be a thousand lines)
)
'''


def texts() -> Iterator[str]:
    """The texts in the code of the rooms that publish, without docstrings."""
    for room in PUBLISHING:
        place = CODE / room
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            yield from _texts(ast.parse(path.read_text(encoding="utf-8")))


def _texts(tree: ast.AST) -> Iterator[str]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id  # a field may be a key of JSON


def vocabulary() -> list[str]:
    """The words, in order: those that begin as a name may."""
    return sorted({word for text in texts() for word in words(text) if word[0:1].isalpha()})


def source() -> str:
    """The source of the list."""
    lines = textwrap.wrap(" ".join(vocabulary()), 112, break_long_words=False, break_on_hyphens=False)
    return _HEAD + "".join(f"    {line}\n" for line in lines) + _FOOT


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
