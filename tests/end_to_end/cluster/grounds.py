"""Whole runs on the test cluster, as a person makes them: the command, a targets.yaml, a platform, a kubeconfig."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.access import Cluster
from tests.cluster.rehearsal import LABEL, Platform, deploy_platform

GOLIVE = Path(sys.executable).with_name("golive")
END_WITHIN_S = 240.0

TARGETS = """\
- name: cluster-rehearsal
  url: "http://api-gateway.{namespace}.svc:8080"
  target_class: rehearsal
  prometheus_url: "http://prometheus.monitoring:9090"
  namespace: {namespace}
  queries:
    requests: 'sum by (pod) (http_requests_total{{service="api-gateway",namespace="{namespace}",route!="/health"}})'
    errors: >-
      sum by (pod)
      (http_requests_total{{service="api-gateway",namespace="{namespace}",route!="/health",code=~"5.."}})
    duration_buckets: >-
      sum by (pod, le)
      (http_request_duration_seconds_bucket{{service="api-gateway",namespace="{namespace}",route!="/health"}})
    backlog: 'sum by (queue) (command_queue_depth{{namespace="{namespace}"}})'
    up: 'up{{namespace="{namespace}",job="pods"}}'
"""

# Two cores carry the cluster, the platform and the load: what counts as too late is set accordingly.
PLAN = """\
# a run for the tests
workload: ota-heavy
objectives: {objectives}
rate_to_prove_rps: {rps}
phases:
  - {{name: calm, duration: 5s, from_share: 0.2, to_share: 0.2, judged: false}}
  - {{name: climb, duration: {climb}, from_share: 1, to_share: 1, judged: false}}
  - {{name: hold, duration: {hold}, from_share: 1, to_share: 1}}
thresholds: {{lag_p99_ms: 300, control_timer_p99_ms: 300, throttled_ratio: {throttled_ratio}}}
watch_after: 15s
workers: {workers}
"""

OBJECTIVES = """\
- {kind: throughput, name: throughput, at_least_rps: rate-to-prove, window_s: 10}
- {kind: latency, name: p95-latency, quantile_ratio: 0.95, below_ms: 2000}
- {kind: error_ratio, name: error-rate, below_ratio: 0.04}
- {kind: availability, name: availability, at_least_ratio: 0.99}
- {kind: backlog, name: backlog, worked_off_within_s: 60}
- {kind: scaling, name: scaling, settled_for_s: 15}
"""


@dataclass
class Launched:
    """A `golive run --on cluster` that is under way, or over."""

    process: subprocess.Popen[str]
    folder: Path
    log: Path

    @property
    def run_id(self) -> str:
        return self.folder.name

    def events(self, kind: str) -> list[dict[str, Any]]:
        try:
            lines = (self.folder / "events.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def wait_for(self, what: Callable[[], Any], within_s: float = 120.0) -> None:
        deadline_s = time.monotonic() + within_s
        while not what():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline_s, "it did not come to that: " + self.said()
            time.sleep(0.2)

    def wait_for_phase(self, name: str) -> None:
        self.wait_for(lambda: any(event["phase"] == name for event in self.events("phase_started")))

    def end(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(END_WITHIN_S)

    def said(self) -> str:
        return self.log.read_text()

    @property
    def verdict(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "verdict.json").read_text())
        return found

    def judged(self, objective: str) -> dict[str, Any]:
        return next(one for one in self.verdict["judgements"] if one["objective"] == objective)

    @property
    def findings(self) -> dict[str, str]:
        """Kind → what was found."""
        found: dict[str, str] = {}
        for finding in self.verdict["findings"]:
            found[finding["kind"]] = f"{found.get(finding['kind'], '')}{finding['what']}\n"
        return found


@dataclass
class Grounds:
    """A platform in a namespace of its own, a namespace for golive that is not there yet, and a folder to work in."""

    cluster: Cluster
    target_namespace: str
    namespace: str
    folder: Path
    launched: list[Launched] = field(default_factory=list)

    def launch(self, *more: str, plan: str, cpu: str = "150m", memory: str = "400Mi") -> Launched:
        """Start a run and come back once its folder's name is known. more: of the command line."""
        (self.folder / "plan.yaml").write_text(plan)
        values = {
            "image": {"repository": "localhost/golive", "tag": "test", "pullPolicy": "Never"},
            "workers": {"resources": {"cpu": cpu, "memory": memory}},
            "master": {"resources": {"cpu": "400m", "memory": "800Mi"}},
        }
        (self.folder / "values.json").write_text(json.dumps(values))
        log = self.folder / f"launch-{len(self.launched)}.log"
        with log.open("w") as out:
            words = ["run", "plan.yaml", "--on", "cluster", "--namespace", self.namespace, *more]
            process = subprocess.Popen(
                [str(GOLIVE), *words, "--values", "values.json"], cwd=self.folder, env=self._environment, stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
            )  # fmt: skip
        launched = Launched(process, self._folder_named_in(log, process), log)
        self.launched.append(launched)
        return launched

    def golive(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another golive, as from another laptop."""
        return subprocess.run(
            [str(GOLIVE), *words, "--namespace", self.namespace], cwd=self.folder, env=self._environment,
            capture_output=True, text=True, timeout=END_WITHIN_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def pods(self, run: Launched, role: str) -> list[dict[str, Any]]:
        selector = f"golive/run={run.run_id},app.kubernetes.io/component={role}"
        text = self.cluster.kubectl("-n", self.namespace, "get", "pods", "-l", selector, "-o", "json")
        found: list[dict[str, Any]] = json.loads(text)["items"]
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    def left(self) -> list[str]:
        """What is still on the cluster of any run here: everything but the platform itself."""
        kinds = "jobs,pods,configmaps,secrets,services,roles,rolebindings,networkpolicies,poddisruptionbudgets,leases"
        found: list[str] = []
        for namespace in (self.namespace, self.target_namespace):
            words = ("-n", namespace, "get", kinds, "-l", "app.kubernetes.io/name=golive", "-o", "name")
            found += [line for line in self.cluster.kubectl(*words).split() if "No" not in line]
        return found

    def namespace_is_gone(self) -> bool:
        words = ("get", "namespace", self.namespace, "--ignore-not-found", "-o", "jsonpath={.status.phase}")
        return self.cluster.kubectl(*words) in ("", "Terminating")

    @property
    def _environment(self) -> dict[str, str]:
        return {**self.cluster.environment, "COLUMNS": "200"}

    @staticmethod
    def _folder_named_in(log: Path, process: subprocess.Popen[str]) -> Path:
        deadline_s = time.monotonic() + 60
        while True:
            for line in log.read_text().splitlines():
                if line.startswith("record: "):
                    return log.parent / line.removeprefix("record: ")
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s, log.read_text()
            time.sleep(0.1)


@contextmanager
def grounds_for(cluster: Cluster, folder: Path, platform: Platform) -> Iterator[Grounds]:
    """Deploy a platform for the while; what a failed test left running is ended by its process id."""
    with cluster.namespace("shop", LABEL) as target_namespace:
        deploy_platform(cluster, target_namespace, platform)
        (folder / "targets.yaml").write_text(TARGETS.format(namespace=target_namespace))
        (folder / "objectives.yaml").write_text(OBJECTIVES)
        found = Grounds(cluster, target_namespace, f"golive-{secrets.token_hex(3)}", folder)
        try:
            yield found
        finally:
            for one in found.launched:
                if one.process.poll() is None:
                    one.process.kill()
                    one.process.wait()
            cluster.kubectl("delete", "namespace", found.namespace, "--ignore-not-found", "--wait=false")


def a_plan(**changes: Any) -> str:
    """A plan's text; see PLAN for what may be changed."""
    usual = {"rps": 800, "climb": "30s", "hold": "30s", "workers": 2, "objectives": "objectives.yaml",
             "throttled_ratio": 0.9}  # fmt: skip
    return PLAN.format(**{**usual, **changes})
