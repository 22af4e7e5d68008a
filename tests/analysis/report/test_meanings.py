import pytest

from analysis.report.meanings import finding_title
from slo.validity import FindingKind


@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_has_a_plain_title(kind: FindingKind) -> None:
    assert finding_title(kind) != kind.value
