"""What every metrics source does, the fake as the real one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from analysis.ports import MetricsSource, MetricsUnreachable
from analysis.prometheus import Prometheus
from scenarios.errors import MetricsUnavailable
from tests.contracts.prometheus_server import prometheus_binary, prometheus_over
from tests.fakes import FakeMetrics, samples

T0 = 1_790_000_000
EVERY_2_S = T0 + 0.5 + 2.0 * np.arange(60)
STORED = {
    "counted_total": [samples({"pod": "a"}, EVERY_2_S, 10 * np.arange(60.0))],
    "depth": [
        samples({"queue": "booking"}, EVERY_2_S, 3),
        samples({"queue": "billing"}, EVERY_2_S[:5], 7),
    ],
}
MALFORMED = "sum(("


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.slow)])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetricsSource]:
    if request.param == "fake":
        named = {
            name: [samples({"__name__": name, **one.labels}, one.at_unix_s, one.values) for one in series]
            for name, series in STORED.items()
        }
        yield FakeMetrics(named, refused=frozenset({MALFORMED}))
        return
    binary = prometheus_binary()
    if binary is None:
        pytest.skip("no Prometheus on this machine: make setup unpacks one")
    with prometheus_over(STORED, tmp_path_factory.mktemp("prometheus"), binary) as url:
        yield Prometheus(url, environment={})


def test_a_range_has_the_last_value_at_every_step(source: MetricsSource) -> None:
    (counted,) = source.query_range("counted_total", start_unix_s=T0 + 10, end_unix_s=T0 + 14, step_s=1)
    assert counted.at_unix_s.tolist() == [T0 + 10, T0 + 11, T0 + 12, T0 + 13, T0 + 14]
    assert counted.values.tolist() == [40, 50, 50, 60, 60]
    assert counted.labels == {"__name__": "counted_total", "pod": "a"}


def test_steps_before_the_first_sample_are_left_out(source: MetricsSource) -> None:
    (counted,) = source.query_range("counted_total", start_unix_s=T0 - 10, end_unix_s=T0 + 1, step_s=1)
    assert counted.at_unix_s.tolist() == [T0 + 1]


def test_every_set_of_labels_is_a_series_of_its_own(source: MetricsSource) -> None:
    depths = source.query_range("depth", start_unix_s=T0 + 2, end_unix_s=T0 + 3, step_s=1)
    assert {series.labels["queue"]: series.values.tolist() for series in depths} == {
        "booking": [3, 3],
        "billing": [7, 7],
    }


def test_a_series_that_ended_is_shown_for_five_minutes(source: MetricsSource) -> None:
    last_sample = EVERY_2_S[-1]
    (counted,) = source.query_range("counted_total", start_unix_s=T0 + 110, end_unix_s=T0 + 600, step_s=1)
    assert last_sample + 298 <= counted.at_unix_s[-1] <= last_sample + 300


def test_a_selector_with_a_range_gives_the_stored_samples_themselves(source: MetricsSource) -> None:
    (counted,) = source.query("counted_total[5s]", at_unix_s=T0 + 15)
    assert counted.at_unix_s.tolist() == [T0 + 10.5, T0 + 12.5, T0 + 14.5]
    assert counted.values.tolist() == [50, 60, 70]


def test_an_instant_has_one_value_a_series(source: MetricsSource) -> None:
    (counted,) = source.query("counted_total", at_unix_s=T0 + 15)
    assert counted.values.tolist() == [70]


def test_a_name_nobody_exports_gives_no_series(source: MetricsSource) -> None:
    assert source.query("nobody_exports_this", at_unix_s=T0) == ()
    assert source.query_range("nobody_exports_this", start_unix_s=T0, end_unix_s=T0 + 5, step_s=1) == ()


def test_a_malformed_expression_is_refused_in_words(source: MetricsSource) -> None:
    with pytest.raises(MetricsUnavailable, match="refused the query") as refusal:
        source.query(MALFORMED, at_unix_s=T0)
    assert not isinstance(refusal.value, MetricsUnreachable)
    with pytest.raises(MetricsUnavailable, match="refused the query"):
        source.query_range(MALFORMED, start_unix_s=T0, end_unix_s=T0 + 5, step_s=1)


def test_the_server_is_named_by_its_address(source: MetricsSource) -> None:
    assert source.server.startswith("http://")
