import pytest

from analysis.report.meanings import failure_meaning, finding_title
from slo.validity import FindingKind

# The closed list of engine/DELTA.md.
KINDS = (
    "refused", "reset", "timeout connect", "timeout wait", "timeout body", "status 503", "malformed", "check",
    "too large", "tls", "dns", "redirect", "local ports", "file handles", "unreachable",
)  # fmt: skip


@pytest.mark.parametrize("kind", FindingKind)
def test_every_finding_has_a_plain_title(kind: FindingKind) -> None:
    assert finding_title(kind) != kind.value


@pytest.mark.parametrize("kind", KINDS)
def test_every_failure_is_explained(kind: str) -> None:
    assert failure_meaning(kind)
