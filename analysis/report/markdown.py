"""The report as Markdown, for a ticket or a pull request: the same words, without the charts."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.page import Page
from analysis.report.wording import without_passwords

SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")
NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def markdown(page: Page) -> str:
    """Write the page out as GitHub-flavoured Markdown."""
    environment = Environment(
        loader=PackageLoader("analysis.report"),
        autoescape=False,
        finalize=plain,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = code
    return environment.get_template("report.md.j2").render(page=page)


def plain(value: object) -> str:
    """A value as text that no Markdown reader takes for markup, on one line."""
    if isinstance(value, Markup):
        return value
    return SPECIAL.sub(r"\\\1", NOT_PRINTED.sub(" ", without_passwords(str(value))))


def code(value: object) -> Markup:
    """A command in backticks, longer ones than any inside it."""
    text = NOT_PRINTED.sub(" ", without_passwords(str(value)))
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    room = " " if "`" in text[:1] + text[-1:] else ""
    return Markup(f"{fence}{room}{text}{room}{fence}")
