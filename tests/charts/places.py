"""Where the chart and what is kept of it are."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
CHART = HERE.parents[1] / "charts" / "golive"
VALUE_SETS = HERE / "values"
GOLDEN = HERE / "golden"
SCHEMA = CHART / "values.schema.json"
README = CHART / "README.md"
VALUES = CHART / "values.yaml"
