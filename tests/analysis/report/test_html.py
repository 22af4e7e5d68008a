import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.report.html import html, tight
from analysis.report.levels import Dot, LevelChart, LevelPlane
from analysis.report.tables import Table
from tests.analysis.records import Synthetic
from tests.analysis.report.gallery import GALLERY
from tests.analysis.report.runs import run_of

LARGEST_BYTES = 2_000_000


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("name", GALLERY)
def test_nothing_is_fetched_from_anywhere(name: str, tmp_path: Path) -> None:
    tags = Tags(html(GALLERY[name](tmp_path / "run").page())).seen
    assert not {tag for tag, _ in tags} & {"link", "img", "iframe", "object", "embed", "base", "form", "video"}
    assert not [attributes for _, attributes in tags if {"src", "href", "style"} & attributes.keys()]


@pytest.mark.parametrize("name", GALLERY)
def test_only_the_reports_own_script_and_style_may_run(name: str, tmp_path: Path) -> None:
    text = html(GALLERY[name](tmp_path / "run").page())
    for tag in ("script", "style"):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", text, flags=re.S)
        assert len(bodies) == 1
        known = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{known}'" in text


def test_every_judgement_is_a_row_with_its_because(tmp_path: Path) -> None:
    run = GALLERY["passed"](tmp_path / "run")
    text = html(run.page())
    for judgement in run.verdict.judgements:
        assert judgement.because in text
        assert judgement.source in text


def test_passwords_in_addresses_are_not_shown(tmp_path: Path) -> None:
    text = html(run_of(tmp_path / "run", platform=True).page())
    assert "http://127.0.0.1:9090" in text
    assert "secret" not in text


def test_half_an_hour_fits_in_two_megabytes(tmp_path: Path) -> None:
    failed = {t: {"status 503": t % 7, "reset": t % 3} for t in range(1800)}
    run = Synthetic(hold_s=1795, rps=50, failed=failed, latency_ms=lambda t: (5.0 + t % 13, 9.0 + t % 17))
    page = run_of(tmp_path / "run", run, platform=True).render()
    assert page.stat().st_size < LARGEST_BYTES


def test_a_report_is_the_same_every_time(tmp_path: Path) -> None:
    run = GALLERY["failed"](tmp_path / "run")
    assert html(run.page()) == html(run.page())


def test_a_figure_and_its_unit_stay_on_one_line() -> None:
    assert tight("181 ms to 0.5 s (95 %), 3 stages") == "181\u00a0ms to 0.5\u00a0s (95\u00a0%), 3 stages"


def test_a_missed_level_is_told_by_its_shape_too(tmp_path: Path) -> None:
    outcomes = ("met", "missed", "undecided")
    dots = tuple(Dot(x=10.0 * place, y=5.0, outcome=one, told=one) for place, one in enumerate(outcomes))
    plane = LevelPlane(title="P95, ms", height_px=50, ticks=(), limits=(), dots=dots)
    page = GALLERY["passed"](tmp_path / "run").page()
    levels = Table(name="levels", title="levels", columns=(), rows=())
    searched = replace(page, level_chart=LevelChart(planes=(plane,), rates=(), summary=""), levels=levels)
    shapes = [(tag, known["class"]) for tag, known in Tags(html(searched)).seen if "dot " in (known.get("class") or "")]
    assert shapes == [("circle", "dot met"), ("rect", "dot missed"), ("circle", "dot undecided")] * 2  # key and chart
