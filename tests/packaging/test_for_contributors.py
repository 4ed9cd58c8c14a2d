"""What contributors read and use leads somewhere: links, hooks, paths that CONTRIBUTING.md names, forms for issues."""

from __future__ import annotations

import re
import sys
from itertools import chain
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = (".", "docs", "dashboard", "tests/cluster", ".github")
PAGES = sorted(chain.from_iterable((CHECKOUT / folder).glob("*.md") for folder in FOLDERS))
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The ends of addresses that lead to headings, as forges make them."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(text_of(path)))
    return {heading.strip().replace(" ", "-") for heading in plain}


def leads_nowhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return not target.exists() or (bool(anchor) and anchor not in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=[path.relative_to(CHECKOUT).as_posix() for path in PAGES])
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = [link for link in LINK.findall(text_of(page)) if "://" not in link]
    assert [link for link in links if leads_nowhere(page, link)] == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    page = CHECKOUT / "README.md"
    assert leads_nowhere(page, "docs/nothing.md")
    assert leads_nowhere(page, "docs/privacy.md#nothing")
    assert not leads_nowhere(page, "docs/privacy.md#what-it-does-not-hide")


def test_paths_that_are_named_for_contributors_are_there() -> None:
    told = re.findall(
        r"`((?:librarian|dashboard|tests|scripts|docs|templates)/[\w./-]*)`", text_of(CHECKOUT / "CONTRIBUTING.md")
    )
    assert len(told) > 10
    assert [path for path in told if not (CHECKOUT / path).exists()] == []


def test_hooks_are_tools_of_this_checkout() -> None:
    hooks = text_of(CHECKOUT / ".pre-commit-config.yaml")
    assert re.findall(r"repo: *(\S+)", hooks) == ["local"]
    assert set(re.findall(r"language: *(\S+)", hooks)) == {"system"}
    tools = re.findall(r"entry: \.venv-test/bin/(\S+)", hooks)
    assert {"ruff", "mypy", "lint-imports"} <= set(tools)
    assert [tool for tool in tools if not (Path(sys.executable).parent / tool).exists()] == []


def test_no_address_is_invented() -> None:
    forms = [path for path in (CHECKOUT / ".github").rglob("*") if path.is_file()]
    told = [*forms, *(CHECKOUT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "LICENSE"))]
    assert len(forms) >= 3
    assert [path.name for path in told if re.search(r"https?://|\w@\w", text_of(path))] == []
