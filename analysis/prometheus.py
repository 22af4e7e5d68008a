"""Prometheus, over prometheus-api-client: bounded in time, errors in our words, credentials from the environment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util.retry import Retry

from analysis.ports import MetricsUnreachable, Series
from scenarios.errors import MetricsUnavailable

TOKEN = "GOLIVE_PROMETHEUS_TOKEN"
USER, PASSWORD = "GOLIVE_PROMETHEUS_USER", "GOLIVE_PROMETHEUS_PASSWORD"
CONNECT_WITHIN_S = 1.5
ANSWER_WITHIN_S = 8.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Prometheus:
    """One Prometheus server.

    Asking it costs a few seconds at most, also when it is dead. (The library alone tries four times and, where
    nothing refuses it, waits for ever.)
    """

    def __init__(
        self, url: str, environment: Mapping[str, str] = os.environ, *, answer_within_s: float = ANSWER_WITHIN_S
    ) -> None:
        """Open nothing yet. A user and password inside the URL are used but never shown."""
        self.server = _without_credentials(url)
        self._secrets = _secrets(url, environment)
        session = requests.Session()
        if urlsplit(self.server).hostname in LOOPBACK:
            session.trust_env = False  # a proxy is for the outside
        token = environment.get(TOKEN, "")
        login = (environment.get(USER, ""), environment.get(PASSWORD, ""))
        self._api = PrometheusConnect(
            url=url.rstrip("/"),
            session=session,
            headers={"Authorization": f"Bearer {token}"} if token else None,
            auth=login if login[0] else None,
            retry=Retry(total=1, connect=1, read=False, status=1, backoff_factor=0.2, status_forcelist=(502, 503, 504)),
            timeout=(CONNECT_WITHIN_S, answer_within_s),
        )

    def query_range(self, promql: str, *, start_unix_s: float, end_unix_s: float, step_s: float) -> tuple[Series, ...]:
        """The expression's value at every step. The library rounds both ends to whole seconds."""
        ends = [datetime.fromtimestamp(at_unix_s, tz=UTC) for at_unix_s in (start_unix_s, end_unix_s)]
        return self._asked(lambda: self._api.custom_query_range(promql, *ends, step=f"{step_s:g}"))

    def query(self, promql: str, *, at_unix_s: float) -> tuple[Series, ...]:
        """The expression at one instant, or, for `selector[90s]`, every stored sample before it."""
        return self._asked(lambda: self._api.custom_query(promql, params={"time": f"{at_unix_s:.3f}"}))

    def _asked(self, ask: Callable[[], Any]) -> tuple[Series, ...]:
        try:
            return _series(ask())
        except PrometheusApiClientException as refusal:
            raise self._refused(str(refusal)) from None
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            # requests' own JSON error is an OSError too, so this comes first.
            raise self._something_else() from None
        except OSError as silence:  # what requests raises is an OSError
            raise MetricsUnreachable(
                f"Prometheus at {self.server} does not answer: {self._clean(_reason(silence))}.",
                remedy="Check that it runs and can be reached from here; the load itself needs no Prometheus.",
            ) from None

    def _refused(self, message: str) -> MetricsUnavailable:
        status = re.search(r"HTTP Status Code (\d+)", message)
        code = status[1] if status else "unknown"
        if code in ("401", "403"):
            return MetricsUnreachable(
                f"Prometheus at {self.server} refuses us (status {code}).",
                remedy=f"Set {TOKEN}, or {USER} and {PASSWORD}, in the environment.",
            )
        said = self._clean(_said(message))
        if not said:  # Prometheus always says what it dislikes
            return self._something_else(f" (status {code})")
        return MetricsUnavailable(
            f"Prometheus at {self.server} refused the query: {said}.",
            remedy="Correct the target's queries in targets.yaml.",
        )

    def _something_else(self, told: str = "") -> MetricsUnreachable:
        return MetricsUnreachable(
            f"What answers at {self.server} is not a Prometheus{told}.", remedy="Check the address of the Prometheus."
        )

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _series(result: Any) -> tuple[Series, ...]:
    if result and not isinstance(result[0], Mapping):  # a scalar: [instant, "value"]
        return (_line({}, [result]),)
    lines = [(entry["metric"], entry.get("values") or [entry["value"]]) for entry in result if _has_numbers(entry)]
    return tuple(_line(labels, samples) for labels, samples in lines)


def _has_numbers(entry: Mapping[str, Any]) -> bool:
    # A native histogram comes as "histogram(s)": golive reads classic ones only.
    return "values" in entry or "value" in entry


def _line(labels: Mapping[str, str], samples: Sequence[Sequence[Any]]) -> Series:
    return Series(
        labels=dict(labels),
        at_unix_s=np.array([float(at) for at, _ in samples], dtype=np.float64),
        values=np.array([float(value) for _, value in samples], dtype=np.float64),
    )


def _reason(silence: OSError) -> str:
    if isinstance(silence, requests.exceptions.Timeout):
        return "nothing came in time"
    # The innermost cause stands last: "…: [Errno 111] Connection refused'))".
    innermost = str(silence).rsplit(": ", 1)[-1].rstrip("')\"")
    return re.sub(r"\(?\[Errno -?\d+\] ", "", innermost)


def _said(message: str) -> str:
    """Prometheus's own words out of the library's message, which quotes the whole answer; "" for none."""
    quoted = re.search(r"\{.*\}", message, re.DOTALL)
    try:
        return str(json.loads(quoted[0].encode().decode("unicode_escape"))["error"]) if quoted else ""
    except (ValueError, KeyError, TypeError):
        return ""


def _without_credentials(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _secrets(url: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    from_environment = [environment.get(name, "") for name in (TOKEN, PASSWORD)]
    return tuple(filter(None, [urlsplit(url).password, *from_environment]))
