"""Locust's web UI may show a run and stop it. What is sent, how much of it and where is the plan's to say."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify, request

REFUSED = {
    "locust.swarm": "A run's load is its plan's: stop this one and start another with golive run, or change the plan.",
    "locust.reset_stats": "A run's counts are kept whole: its CSV must tell what its record tells.",
}


def keep_load(environment: Any) -> None:
    """Refuse another number of users, another host, a second start, and counts from zero, where there is a web UI."""
    if environment.web_ui is not None:
        environment.web_ui.app.before_request(_refused)


def _refused() -> Response | None:
    """Locust's page shows such an answer's message beside the form; None lets the request pass."""
    because = REFUSED.get(request.endpoint or "")
    return jsonify({"success": False, "message": because}) if because else None
