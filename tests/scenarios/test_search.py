"""The search for the limit, against simulated platforms of known capacity."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from scenarios.search import (
    Bracket,
    Found,
    HoldAt,
    LevelOutcome,
    Search,
    Tried,
    between,
    bracket_of,
    next_step,
    proof_rate_rps,
)  # fmt: skip

MOST_LEVELS = 60
MET, MISSED, UNDECIDED, VOID = LevelOutcome.MET, LevelOutcome.MISSED, LevelOutcome.UNDECIDED, LevelOutcome.VOID


def a_search(**changes: float) -> Search:
    return Search(**{"start_rps": 100.0, "most_rps": 100_000.0, "at_least_rps": 100.0, **changes})  # type: ignore[arg-type]


def sought(search: Search, says: Callable[[float], LevelOutcome]) -> tuple[Found, list[Tried]]:
    tried: list[Tried] = []
    while len(tried) < MOST_LEVELS:
        step = next_step(search, tried)
        if isinstance(step, Found):
            return step, tried
        tried.append(Tried(rate_rps=step.rate_rps, outcome=says(step.rate_rps)))
    raise AssertionError(f"still seeking after {MOST_LEVELS} levels: {tried}")


@given(capacity=st.floats(30, 90_000), resolution=st.floats(0.005, 0.5), growth=st.floats(1.3, 4))
def test_a_platform_of_any_capacity_is_found_within_the_resolution(
    capacity: float, resolution: float, growth: float
) -> None:
    found, _ = sought(
        a_search(resolution_ratio=resolution, growth=growth), lambda rate: MET if rate <= capacity else MISSED
    )
    met, ceiling = found.bracket.met_rps, found.bracket.ceiling_rps
    assert met is not None
    assert ceiling is not None
    assert met <= capacity < ceiling
    assert ceiling - met <= resolution * ceiling


@given(capacity=st.floats(100, 90_000), noise=st.floats(0, 0.2), seed=st.randoms(use_true_random=False))
def test_a_noisy_platform_ends_the_search_and_is_found_within_its_noise(
    capacity: float, noise: float, seed: object
) -> None:
    uniform = seed.uniform  # type: ignore[attr-defined]
    found, tried = sought(a_search(), lambda rate: MET if rate <= capacity * (1 + uniform(-noise, noise)) else MISSED)
    met = found.bracket.met_rps
    assert len(tried) < MOST_LEVELS
    assert met is None or met <= capacity * (1 + noise)


@given(outcomes=st.lists(st.sampled_from(LevelOutcome), min_size=MOST_LEVELS, max_size=MOST_LEVELS))
def test_whatever_the_levels_say_the_search_ends_and_its_interval_was_seen(outcomes: list[LevelOutcome]) -> None:
    words = iter(outcomes)
    found, tried = sought(a_search(growth=2.0), lambda _rate: next(words))
    last = {one.rate_rps: one.outcome for one in tried}
    known = found.bracket
    assert known.met_rps is None or last[known.met_rps] is MET
    assert known.ceiling_rps is None or last[known.ceiling_rps] is not MET
    assert not (known.met_rps and known.ceiling_rps) or known.met_rps < known.ceiling_rps


def test_a_platform_that_fails_in_the_middle_and_not_above_is_met_only_below() -> None:
    found, _ = sought(a_search(), lambda rate: MISSED if 300 <= rate < 900 else MET)
    assert found.bracket.met_rps is not None
    assert found.bracket.met_rps < 300 <= found.bracket.ceiling_rps  # type: ignore[operator]


def test_an_undecided_level_counts_as_not_met() -> None:
    step = next_step(a_search(), [Tried(rate_rps=100, outcome=MET), Tried(rate_rps=200, outcome=UNDECIDED)])
    assert step == HoldAt(rate_rps=150.0)


def test_a_void_level_is_tried_again_and_then_counts_as_not_met() -> None:
    once = [Tried(rate_rps=100, outcome=MET), Tried(rate_rps=200, outcome=VOID)]
    assert next_step(a_search(), once) == HoldAt(rate_rps=200)
    assert next_step(a_search(), [*once, once[-1]]) == HoldAt(rate_rps=150)


def test_of_a_rate_that_was_tried_again_the_last_word_counts() -> None:
    tried = [Tried(rate_rps=200, outcome=VOID), Tried(rate_rps=200, outcome=MET)]
    assert bracket_of(tried) == Bracket(met_rps=200, ceiling_rps=None)


def test_a_platform_above_the_highest_rate_is_not_sought_further() -> None:
    found, tried = sought(a_search(most_rps=1000.0), lambda _rate: MET)
    assert (found.bracket.met_rps, found.bracket.ceiling_rps) == (1000.0, None)
    assert max(one.rate_rps for one in tried) == 1000.0


def test_where_nothing_is_met_the_search_gives_up_far_below_its_start() -> None:
    found, tried = sought(a_search(), lambda _rate: MISSED)
    assert found.bracket.met_rps is None
    assert "no level was met" in found.because
    assert len(tried) <= 6


@given(start=st.floats(1, 90_000), growth=st.floats(1.1, 10))
def test_it_has_been_down_to_a_sixteenth_of_its_start_when_it_says_so(start: float, growth: float) -> None:
    _, tried = sought(a_search(start_rps=start, growth=growth), lambda _rate: MISSED)
    lowest = min(one.rate_rps for one in tried)
    assert start / 16 <= lowest <= start / 16 * 1.06


@given(met=st.floats(1, 1e6), growth=st.floats(1.0001, 10))
def test_the_next_level_up_is_higher_however_slowly_it_grows(met: float, growth: float) -> None:
    step = next_step(a_search(growth=growth, most_rps=1e9), [Tried(rate_rps=met, outcome=MET)])
    assert isinstance(step, HoldAt)
    assert met < step.rate_rps <= met * growth * 1.1


@given(met=st.floats(1, 1e6), margin=st.floats(0, 0.5), failed=st.integers(0, 4))
def test_no_proof_lies_above_what_was_met(met: float, margin: float, failed: int) -> None:
    assert proof_rate_rps(a_search(margin_ratio=margin), met, failed) <= met


def test_the_proof_lies_the_margin_below_and_once_more_for_each_failure() -> None:
    assert proof_rate_rps(a_search(margin_ratio=0.1), 1000.0) == 900.0
    assert proof_rate_rps(a_search(margin_ratio=0.1), 1000.0, failed_proofs=1) == 810.0


@given(low=st.floats(1, 1e6), width=st.floats(0.001, 2))
def test_the_next_rate_lies_well_inside(low: float, width: float) -> None:
    high = low * (1 + width)
    assert low < between(low, high) < high
