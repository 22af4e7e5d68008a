"""Kubernetes' amounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.cluster.pod_sizes import sizes_of
from loadtest.cluster.quantity import Amount, amount_of


@pytest.mark.parametrize(
    ("written", "means"),
    [("500m", 0.5), ("2", 2), ("1Gi", 2**30), ("128974848", 128974848), ("129M", 129e6), ("0.1", 0.1), ("1e3", 1000),
     ("1E", 1e18), ("100n", 1e-7), (2, 2), ("1.5Gi", 1.5 * 2**30)],
)  # fmt: skip
def test_a_quantity_means_its_number(written: str, means: float) -> None:
    assert amount_of(written) == pytest.approx(means)


@pytest.mark.parametrize("written", ["", "m", "1GiB", "one", "1 Gi", "--1"])
def test_what_is_no_quantity_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        amount_of(written)


@given(st.integers(0, 10**9))
def test_thousandths_add_up(thousandths: int) -> None:
    assert amount_of(f"{thousandths}m") == pytest.approx(thousandths / 1000)


def test_three_tenths_hold_one_and_two_tenths() -> None:
    assert Amount(cpu_cores=0.3).holds(Amount(cpu_cores=0.1) + Amount(cpu_cores=0.2))


def test_every_pod_of_every_job_is_counted_and_a_test_hook_is_not() -> None:
    def job(pods: int, cpu: str, **annotations: str) -> dict[str, object]:
        container = {"resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}
        spec = {"parallelism": pods, "template": {"spec": {"containers": [container]}}}
        return {"kind": "Job", "metadata": {"annotations": annotations}, "spec": spec}

    hook = job(9, "9")
    hook["metadata"] = {"annotations": {"helm.sh/hook": "test"}}
    sizes = sizes_of([job(3, "2"), job(1, "500m"), hook, {"kind": "Service", "metadata": {}}])
    assert [size.amount.cpu_cores for size in sizes] == [2, 2, 2, 0.5]
