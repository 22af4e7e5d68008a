"""Finding a target among the reviewed ones. Nothing widens the list: what is not on it gets no packet. Pure."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from scenarios.errors import PlanError, TargetNotListed
from scenarios.target import Target

PORTS = {"http": 80, "https": 443}


def find_target(asked: str, listed: tuple[Target, ...]) -> Target:
    """The listed target of this name, or the one whose URL this is, or lies below.

    Raises TargetNotListed with the entry to add, PlanError for a URL that cannot be used at all.
    """
    for target in listed:
        if target.name == asked:
            _parts(target.url, where=f"target {target.name!r}: ")
            return target
    if "://" not in asked:
        names = ", ".join(target.name for target in listed) or "none"
        raise TargetNotListed(
            f"No target is called {asked!r} (listed: {names}).",
            remedy=f"Have this entry reviewed and added:\n{_entry(asked)}",
        )
    wanted = _parts(asked)
    for target in listed:
        if _covers(_parts(target.url), wanted):
            return target
    raise TargetNotListed(
        f"{asked} is not listed in targets.yaml; nothing was sent to it.",
        remedy=f"Have this entry reviewed and added:\n{_entry(wanted.hostname or 'target', asked)}",
    )


def check_metrics_url(url: str, *, where: str) -> None:
    """Raise PlanError for an address at which no Prometheus can be; "" is none, and may be."""
    try:
        parts = urlsplit(url)
        fits = not url or (parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        fits = False
    if not fits:
        raise PlanError(
            f"{where}: {url!r} is no address of a Prometheus.", remedy="Write http:// or https://host[:port][/path]."
        )


def _entry(name: str, url: str = "https://HOST") -> str:
    return f'  - name: {name}\n    url: "{url}"\n    target_class: staging   # or production\n    prometheus_url: ""'


def _parts(url: str, *, where: str = "") -> SplitResult:
    if not url.isprintable() or " " in url:  # urlsplit leaves tabs and line ends out, and another host is what is left
        shown = "the URL" if "@" in url else repr(url)  # it may hold a password
        raise PlanError(f"{where}{shown} is no target.", remedy="Write it without blanks and line ends.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as wrong:
        raise PlanError(
            f"{where}the URL cannot be read: {wrong}.", remedy="Write https://host[:port][/path]."
        ) from None
    if parts.username is not None or parts.password is not None:
        # The URL is not repeated: it may hold a password.
        raise PlanError(f"{where}the URL holds a user or password.", remedy="Put credentials into a login (EnvSecret).")
    if parts.scheme not in PORTS or not parts.hostname or port == 0 or parts.query or parts.fragment:
        raise PlanError(
            f"{where}{url!r} is no target.", remedy="Write http:// or https://host[:port][/path], without a query."
        )
    return parts


def _covers(listed: SplitResult, wanted: SplitResult) -> bool:
    """Same scheme, host and port, and a path at or below the listed one."""
    path, below = listed.path.rstrip("/"), wanted.path.rstrip("/")
    within = below == path or below.startswith(path + "/")
    return _origin(listed) == _origin(wanted) and within and ".." not in below.split("/")


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    host = (parts.hostname or "").rstrip(".")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    return parts.scheme, host.lower(), parts.port or PORTS[parts.scheme]
