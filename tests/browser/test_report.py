"""The report in a real browser: offline, readable at once, narrow and printed, and deaf to hostile text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.analysis.report.gallery import GALLERY

pytestmark = [pytest.mark.slow, pytest.mark.browser]
KINDS = tuple(GALLERY)
DRAWN = ("passed", "failed", "not-proven", "cut-off", "spike")


@dataclass
class Opened:
    """A report in a tab, and what the browser had to say about it."""

    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ask(self, script: str) -> Any:
        return self.page.evaluate(script)


@contextmanager
def opened(browser: Browser, report: Path, *, width: int = 1280, height: int = 800, **more: Any) -> Iterator[Opened]:
    """Open a report from disk with the network cut."""
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True, **more)
    seen = Opened(context.new_page())
    seen.page.on("request", lambda request: seen.requested.append(request.url))
    seen.page.on("console", lambda said: seen.complaints.append(said.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("dialog", lambda dialog: seen.complaints.append(dialog.message))
    try:
        seen.page.goto(report.as_uri())
        yield seen
    finally:
        context.close()


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_from_disk_without_a_request_or_a_complaint(
    kind: str, chromium: Browser, reports: dict[str, Path]
) -> None:
    with opened(chromium, reports[kind]) as seen:
        assert seen.requested == [reports[kind].as_uri()]
        assert seen.complaints == []


@pytest.mark.parametrize(
    ("kind", "word"),
    [("passed", "PASSED"), ("failed", "FAILED"), ("not-proven", "NOT PROVEN"), ("nothing", "NOT PROVEN")],
)
def test_the_first_screen_holds_the_verdict_and_the_first_objectives(
    kind: str, word: str, chromium: Browser, reports: dict[str, Path]
) -> None:
    with opened(chromium, reports[kind]) as seen:
        assert seen.page.locator("h1").inner_text() == word
        for part in (".banner", "h1", ".sentence", ".facts", ".objectives thead", ".objectives tbody >> nth=2"):
            assert _bottom(seen.page, part) <= 800, part


def test_a_passed_rehearsal_fits_on_the_first_screen_whole(chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["passed"]) as seen:
        assert "REHEARSAL" in seen.page.locator(".banner").inner_text()
        assert _bottom(seen.page, ".objectives") <= 800
        assert _bottom(seen.page, ".pair") <= 800


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_never_scrolls_sideways(kind: str, chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports[kind], width=390, height=844) as seen:
        assert seen.ask("document.documentElement.scrollWidth") <= 390


def test_the_table_is_readable_on_a_phone(chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["failed"], width=390, height=844) as seen:
        cells = seen.page.locator(".objectives td, .objectives tbody th")
        boxes = [box for box in (cells.nth(n).bounding_box() for n in range(cells.count())) if box]
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
        assert seen.ask("Math.min(...[...document.querySelectorAll('.objectives td')]"
                        ".map(cell => parseFloat(getComputedStyle(cell).fontSize)))") >= 12  # fmt: skip


@pytest.mark.parametrize("width", [390, 1280])
def test_a_phase_has_its_whole_name_or_none(width: int, chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["spike"], width=width) as seen:
        rooms = seen.ask(
            "[...document.querySelectorAll('.phase-name > text')].filter(name => getComputedStyle(name).visibility == "
            "'visible').map(name => name.ownerSVGElement.getBoundingClientRect().width - name.getBBox().width)"
        )
        assert rooms
        assert min(rooms) >= 5


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("kind", DRAWN)
def test_all_charts_stand_on_one_time_axis(kind: str, width: int, chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports[kind], width=width) as seen:
        # A path's own units, 0 to 1,000, in pixels of the screen: where its data really stand.
        spans = seen.ask(
            "[...document.querySelectorAll('.strip > svg, .plot')].map(plane => plane.getBoundingClientRect())"
            ".map(box => [box.left, box.right]).concat([...document.querySelectorAll('.plot path')]"
            ".map(path => path.getScreenCTM()).map(at => [at.e, at.e + 1000 * at.a]))"
            ".map(ends => ends.map(x => x.toFixed(1)).join(' '))"
        )
        holds = seen.ask(
            "[...document.querySelectorAll('.phase.judged')].map(rect => {"
            " const box = rect.getBoundingClientRect(); return `${box.left.toFixed(1)} ${box.right.toFixed(1)}` })"
        )
        assert len(spans) > 6
        assert len(set(spans)) == 1
        assert len(holds) > 3
        assert len(set(holds)) == 1


def test_pointing_at_one_chart_reads_all_of_them(chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["passed"]) as seen:
        usual = seen.page.locator("[data-trace='0']").inner_text()
        seen.page.locator("#chart-latency .plot").hover(position={"x": 400, "y": 20})
        crosses = seen.ask("[...new Set([...document.querySelectorAll('.cross')].map(c => c.getAttribute('x1')))]")
        assert len(crosses) == 1
        assert seen.page.locator("[data-trace='0']").inner_text() == "31,500 /s"
        assert "UTC" in str(seen.page.locator(".now").text_content())
        seen.page.locator("h1").hover()
        assert seen.page.locator("[data-trace='0']").inner_text() == usual


def test_the_arrow_keys_read_the_charts_as_well(chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["passed"]) as seen:
        seen.page.locator(".axis").focus()
        seen.page.keyboard.press("ArrowRight")
        seen.page.keyboard.press("Shift+ArrowRight")
        assert str(seen.page.locator(".now").text_content()).startswith("0:10 ")
        seen.page.keyboard.press("Escape")
        assert seen.page.locator(".now").is_hidden()


def test_it_is_whole_without_its_script(chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["passed"], java_script_enabled=False) as seen:
        assert seen.page.locator(".plot path").count() > 10
        assert seen.page.locator(".interactive").is_hidden()


def test_hostile_text_is_shown_and_never_run(chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["hostile"]) as seen:
        assert seen.page.title().startswith("FAILED")
        assert seen.ask("document.querySelectorAll('img, iframe, [onerror]').length") == 0
        assert seen.ask("document.scripts.length") == 2
        assert 'document.title="owned"' in seen.page.locator(".because").inner_text()


def test_even_a_forgotten_escape_would_not_run(chromium: Browser, reports: dict[str, Path], tmp_path: Path) -> None:
    torn = tmp_path / "torn.html"
    text = reports["passed"].read_text(encoding="utf-8")
    attack = '<script>document.title="owned"</script><img src=x onerror=\'document.title="owned"\'>'
    torn.write_text(text.replace("<main>", f"<main>{attack}"), encoding="utf-8")
    with opened(chromium, torn) as seen:
        assert seen.page.title().startswith("PASSED")
        assert any("Content Security Policy" in complaint for complaint in seen.complaints)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_paper(scheme: Any, chromium: Browser, reports: dict[str, Path]) -> None:
    with opened(chromium, reports["failed"], color_scheme=scheme) as seen:
        assert min(seen.ask(CONTRASTS)) >= 4.5  # WCAG 2.2, 1.4.3


def test_a_reader_of_the_accessibility_tree_finds_tables_and_told_charts(
    chromium: Browser, reports: dict[str, Path]
) -> None:
    with opened(chromium, reports["passed"], width=390) as seen:
        assert seen.page.get_by_role("table", name="Objectives").count() == 1
        assert seen.page.get_by_role("rowheader", name="p95").count() == 1
        told = seen.ask(
            "[...document.querySelectorAll('.plot[aria-describedby]')]"
            ".map(plot => document.getElementById(plot.getAttribute('aria-describedby')).textContent)"
        )
        assert all(len(words) > 30 for words in told)


def test_it_prints_on_a4_with_no_chart_cut(chromium: Browser, reports: dict[str, Path], tmp_path: Path) -> None:
    with opened(chromium, reports["failed"]) as seen:
        printed = seen.page.pdf(path=tmp_path / "report.pdf", format="A4", prefer_css_page_size=True)
        assert 4 <= printed.count(b"/Type /Page\n") <= 8
        seen.page.emulate_media(media="print")
        breaks = seen.ask("[...document.querySelectorAll('.panel')].map(p => getComputedStyle(p).breakInside)")
        assert set(breaks) == {"avoid"}


def _bottom(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None, selector
    return box["y"] + box["height"]


# The contrast ratio of each visible text with the nearest opaque paper behind it (WCAG 2.2, "relative luminance").
CONTRASTS = """
(() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = parts(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      const [, , , alpha = 1] = parts(colour);
      if (alpha > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const says = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  const all = [...document.querySelectorAll("main *, .banner *")];
  const nodes = all.filter((node) => says(node) && !node.closest("svg"));
  return nodes.map((node) => ratio(light(getComputedStyle(node).color), light(paper(node))));
})()
"""
