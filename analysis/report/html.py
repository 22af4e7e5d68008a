"""The report as one HTML file that opens offline: style, charts and a little script are all inside it."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.page import Page
from analysis.report.plots import Values
from analysis.report.wording import without_passwords
from slo.verdict import Outcome

TEMPLATES = "templates"
UNIT = re.compile(r"(?<=\d) (?=(?:%|ms|s|min|rps)(?!\w))")
SIGNS = {Outcome.MET: "✓", Outcome.MISSED: "✗", Outcome.UNPROVEN: "?"}


def html(page: Page) -> str:
    """Write the page out. Whatever came from the run is escaped; only the file's own script may run."""
    environment = Environment(
        loader=PackageLoader("analysis.report", TEMPLATES),
        autoescape=True,
        finalize=lambda value: without_passwords(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["tight"] = tight
    style, script = _own("report.css"), _own("report.js")
    return environment.get_template("report.html.j2").render(
        page=page,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        readout=_readout(page),
        signs=SIGNS,
    )


def tight(text: str) -> str:
    """A text whose figures stay on one line with their units."""
    return UNIT.sub("\u00a0", text)


def _own(name: str) -> str:
    return files("analysis.report").joinpath(TEMPLATES, name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The hash by which the page's security policy knows its own style and script, and refuses any other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _readout(page: Page) -> dict[str, object]:
    """The values behind the charts, for the crosshair."""
    if page.axis is None:
        return {}
    return {
        "start": page.axis.start_unix_s,
        "length": page.axis.end_unix_s - page.axis.start_unix_s,
        "step": page.axis.seconds_per_point,
        "units": [panel.unit for panel in page.panels for plot in panel.plots for _ in plot.traces],
        "values": [_plain(trace.values) for panel in page.panels for plot in panel.plots for trace in plot.traces],
    }


def _plain(values: Values) -> list[float | int | None]:
    """Numbers as JSON can hold them, in four digits: no screen shows more."""
    return [None if np.isnan(value) else _four_digits(float(value)) for value in values]


def _four_digits(value: float) -> float | int:
    short = float(f"{value:.4g}") if abs(value) < 1000 else round(value)
    return int(short) if short == int(short) else short
