"""What can go wrong between golive and a cluster.

HarnessError
└── ApiRefused          the API server answered, and not with what was asked for
    ├── ApiUnauthorized 401: nobody knows this account
    ├── ApiForbidden    403: this account may not
    ├── ApiNotFound     404: there is no such object
    └── ApiConflict     409: it is there already, or somebody changed it meanwhile
    ApiUnreachable      nobody answered
    HelmFailed          helm ended with an error
    RunNotThere         no pod of the cluster carries this run
    RecordNotWhole      what was collected does not agree with its manifest
"""

from __future__ import annotations

from typing import ClassVar

from scenarios.errors import HarnessError, UsageError


class ApiRefused(HarnessError):
    """The API server answered with an error."""

    ADVICE: ClassVar[str] = "See the message; kubectl get events shows more."


class ApiUnauthorized(ApiRefused):
    """The credentials are wrong, or have expired."""

    ADVICE: ClassVar[str] = "Log in again; the run goes on meanwhile: golive attach RUN."


class ApiForbidden(ApiRefused):
    """This account may not do that."""

    ADVICE: ClassVar[str] = "Ask for the rights in docs/cluster.md, or use another context."


class ApiNotFound(ApiRefused):
    """There is no such object."""


class ApiConflict(ApiRefused):
    """The object exists already, or changed since it was read."""


class ApiUnreachable(HarnessError):
    """Nobody answers at the cluster's address."""


class HelmFailed(HarnessError):
    """Helm ended with an error."""


class RunNotThere(UsageError):
    """No pod of the cluster carries this run."""


class RecordNotWhole(HarnessError):
    """What was collected does not agree with its manifest."""
