"""What all pages have in common: templates, data in scripts, times, policies. The only room that knows Jinja2."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache

import jinja2
from markupsafe import Markup

from librarian.errors import one_line
from librarian.shared.text import visible


def filled(templates: Mapping[str, str], name: str, **values: object) -> str:
    """The template `name` with `values`, escaped unless they are `trusted`; a value that is missing is an error."""
    return _environment(tuple(sorted(templates.items()))).get_template(name).render(**values)


@lru_cache(maxsize=2)
def _environment(templates: tuple[tuple[str, str], ...]) -> jinja2.Environment:
    """Compiles these templates, each once: that takes longer than to fill them, and a single file fills them again."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(templates)), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"line": one_line, "visible": visible}
    return environment


def filled_text(templates: Mapping[str, str], name: str, **values: object) -> str:
    """A template that is no HTML: nothing is escaped, so `values` come as they must stand."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(templates),
        autoescape=False,  # noqa: S701 (no HTML)
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(name).render(**values)


def trusted(text: str) -> Markup:
    """Our own text, such as a module's or a style sheet's, for a template to put in as it is."""
    return Markup(text)  # noqa: S704


def embedded(data: bytes) -> Markup:
    """JSON for inside a script element: no character in it can end the element or begin a comment."""
    text = data.decode("utf-8", "replace")
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return trusted(text)


def hashed(text: str) -> str:
    """What a policy calls an inline script or style by: `'sha256-…'`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy(rules: Mapping[str, str]) -> str:
    """A Content-Security-Policy of `rules`, before which nothing is allowed."""
    whole = {"default-src": "'none'", **rules, "base-uri": "'none'", "form-action": "'none'"}
    return "; ".join(f"{name} {value}" for name, value in whole.items())
