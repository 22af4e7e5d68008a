"""What helm makes of the chart today, against what was reviewed."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import StageFailed
from tests.charts.golden import kept
from tests.charts.helm import NAMESPACE, OLDEST_KUBERNETES, RELEASE, helm, needs_helm, rendered, value_sets
from tests.charts.places import CHART, GOLDEN, VALUE_SETS

pytestmark = needs_helm

MINIMAL = VALUE_SETS / "minimal.yaml"


@pytest.mark.parametrize("value_set", value_sets())
def test_the_rendering_is_the_reviewed_one(value_set: str) -> None:
    assert rendered(value_set) == kept(value_set).read_text(), (
        "when this is meant: `make chart`, then read the difference"
    )


def test_no_rendering_is_kept_whose_values_are_gone() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(value_sets())


@pytest.mark.parametrize("value_set", value_sets())
def test_helm_finds_nothing_to_mend(value_set: str) -> None:
    words = ("--strict", "--kube-version", OLDEST_KUBERNETES)
    assert "0 chart(s) failed" in helm("lint", CHART, *words, "--values", VALUE_SETS / f"{value_set}.yaml")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--set", "run.plan="), "run.plan and run.orders are empty"),
        (("--set", "rbac.lease.name=golive-1"), "rbac.lease needs both"),
        (("--set", "workers.cuont=3"), "additional properties 'cuont' not allowed"),
        (("--is-upgrade",), "a golive release is one run and is never upgraded"),
        (("--kube-version", "1.27.9"), "requires kubeVersion: >=1.28"),
    ],
    ids=lambda part: part if isinstance(part, str) else " ".join(part),
)
def test_what_would_not_run_is_not_installed(words: tuple[str, ...], reason: str) -> None:
    with pytest.raises(StageFailed, match=reason):
        helm(
            "template",
            RELEASE,
            CHART,
            "-n",
            NAMESPACE,
            "--values",
            MINIMAL,
            "--kube-version",
            OLDEST_KUBERNETES,
            *words,
        )


@pytest.mark.parametrize(
    ("release", "workers", "reason"),
    [("30k.run", 3, "becomes the name of a Service"), ("g" * 53, 101, "64 letters, 63 are possible")],
)
def test_a_release_whose_name_is_no_host_name_is_refused(release: str, workers: int, reason: str) -> None:
    words = ("--kube-version", OLDEST_KUBERNETES, "--set", f"workers.count={workers}")
    with pytest.raises(StageFailed, match=reason):
        helm("template", release, CHART, "--values", MINIMAL, *words)


def test_files_too_large_for_a_config_map_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "guests.csv"
    large.write_text("x" * 1_000_000)
    words = ("--kube-version", OLDEST_KUBERNETES, "--set-file", f"run.files.guests\\.csv={large}")
    with pytest.raises(StageFailed, match="a ConfigMap holds 1000000"):
        helm("template", RELEASE, CHART, "--values", MINIMAL, *words)
