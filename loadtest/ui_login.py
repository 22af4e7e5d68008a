"""A login for Locust's web UI: one user, one password that golive made for this run."""

from __future__ import annotations

import hmac
import os
import secrets
from typing import Any

from flask import Blueprint, redirect, request, session, url_for
from flask_login import UserMixin, login_user

PASSWORD_VARIABLE = "GOLIVE_UI_PASSWORD"
USER = "golive"


class _Visitor(UserMixin):  # type: ignore[misc]
    id = USER


def require_login(environment: Any) -> None:
    """Put the login before every page of the web UI, where there is one."""
    if environment.web_ui is None:
        return
    app = environment.web_ui.app
    app.config["SECRET_KEY"] = secrets.token_hex(32)
    environment.web_ui.login_manager.user_loader(lambda user_id: _Visitor() if user_id == USER else None)
    environment.web_ui.auth_args = {"title": "golive", "username_password_callback": "/golive-login"}
    pages = Blueprint("golive", __name__)
    pages.add_url_rule("/golive-login", view_func=_log_in, methods=["POST"])
    app.register_blueprint(pages)


def _log_in() -> Any:
    given = request.form.get("password", "")
    expected = os.environ.get(PASSWORD_VARIABLE, "")
    if expected and request.form.get("username") == USER and hmac.compare_digest(given, expected):
        login_user(_Visitor())
        return redirect(url_for("locust.index"))
    session["auth_error"] = "Wrong user name or password; golive printed both when the run began."
    return redirect(url_for("locust.login"))
