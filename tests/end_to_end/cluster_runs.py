"""Runs against the rehearsal platform on a real cluster: driven from this machine, watched through a kubeconfig."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from analysis.cluster.fingerprint import read_fingerprint
from analysis.cluster.watch import PlanOfWatching, watching
from analysis.kubernetes import Kubernetes
from loadtest.conduct import Surroundings, conduct
from loadtest.outlook import Outlook
from loadtest.rehearsal.reaper import Reaper
from loadtest.verdicts import conclude
from loadtest.versions import own_versions
from scenarios.files import load_plan
from scenarios.target import PrometheusQueries, Target, TargetClass
from tests.cluster.access import Cluster
from tests.cluster.rehearsal import LABEL, Platform, deploy_platform
from tests.end_to_end.runs import Judged

PLAN = """\
# a step of load that one pod of the platform cannot carry
workload: ota-heavy
objectives: {objectives}
rate_to_prove_rps: {rps}
offered_ratio: 1.05
phases:
  - {{name: low, duration: 5s, from_share: 0.2, to_share: 0.2, judged: false}}
  - {{name: scaling, duration: {scaling_s}s, from_share: 1, to_share: 1, judged: false}}
  - {{name: hold, duration: {hold_s}s, from_share: 1, to_share: 1}}
watch_after: 10s
"""
OBJECTIVES = """\
- {kind: throughput, name: throughput, at_least_rps: rate-to-prove, window_s: 10}
- {kind: error_ratio, name: error-rate, below_ratio: 0.04}
- {kind: scaling, name: scaling, settled_for_s: 20}
"""


Happening = Callable[[Cluster, str], None]


@dataclass(frozen=True, kw_only=True)
class Driven:
    """What is driven at which platform."""

    cluster: Cluster
    folder: Path
    platform: Platform = field(default_factory=Platform)
    rps: int = 700
    scaling_s: int = 30
    hold_s: int = 40

    def run(self, in_the_hold: Happening | None = None) -> Judged:
        """Deploy, watch, drive, judge. in_the_hold: what is done to the namespace when the hold has begun."""
        with self.cluster.namespace("scaled", LABEL) as namespace:
            url = deploy_platform(self.cluster, namespace, self.platform)
            done = threading.Event()
            meanwhile = threading.Thread(target=self._meanwhile, args=(namespace, in_the_hold, done), daemon=True)
            meanwhile.start()
            try:
                ended = self._drive(namespace, url)
            finally:
                done.set()
                meanwhile.join(60)
        return Judged(self.folder / "run", ended, conclude(self.folder / "run"), "")

    def _meanwhile(self, namespace: str, in_the_hold: Happening | None, done: threading.Event) -> None:
        events = self.folder / "run" / "events.jsonl"
        while in_the_hold and not done.wait(0.2):
            if events.exists() and '"phase":"hold"' in events.read_text():
                in_the_hold(self.cluster, namespace)
                return

    def _drive(self, namespace: str, url: str) -> str:
        run, target = self.folder / "run", self._target(namespace, url)
        reader = Kubernetes.of_kubeconfig(self.cluster.kubeconfig)
        plan = load_plan(str(self._plan()), target=target)
        outlook = Outlook(target)
        watched = PlanOfWatching(target_namespace=namespace)
        with Reaper.start() as reaper, watching(reader, watched, into=run / "kubernetes"):
            around = Surroundings(
                folder=run, rehearsal=True, versions=own_versions(), settled=outlook.settled, watched=reaper.watch,
                fingerprint=read_fingerprint(reader, namespace),
            )  # fmt: skip
            ended = conduct(plan, around)
        outlook.gather(run)
        return ended

    def _plan(self) -> Path:
        objectives, plan = self.folder / "objectives.yaml", self.folder / "scaled.yaml"
        objectives.write_text(OBJECTIVES)
        plan.write_text(PLAN.format(objectives=objectives, rps=self.rps, scaling_s=self.scaling_s, hold_s=self.hold_s))
        return plan

    def _target(self, namespace: str, url: str) -> Target:
        here = f'service="api-gateway",namespace="{namespace}"'
        return Target(
            name="cluster-rehearsal", url=url, target_class=TargetClass.REHEARSAL, namespace=namespace,
            prometheus_url=self.cluster.prometheus_url,
            queries=PrometheusQueries(
                requests=f"sum by (pod) (http_requests_total{{{here}}})",
                errors=f'sum by (pod) (http_requests_total{{{here},code=~"5.."}})',
                duration_buckets=f"sum by (pod, le) (http_request_duration_seconds_bucket{{{here}}})",
                backlog=f'sum by (queue) (command_queue_depth{{namespace="{namespace}"}})',
                up=f'up{{namespace="{namespace}",job="pods"}}',
            ),
        )  # fmt: skip
