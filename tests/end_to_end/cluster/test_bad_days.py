"""What happens to runs on a cluster: an index started twice, workers out of memory or drained, the master gone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from scenarios.errors import HarnessError
from tests.cluster.rehearsal import Platform
from tests.end_to_end.cluster.grounds import Grounds, Launched, a_plan

GroundsFor = Callable[[Platform], Grounds]
STEADY = Platform(hpa=None, min_replicas=1)
LONG = a_plan(rps=200, climb="1s", hold="120s")
# As many small processes as fill the container: the kernel then ends its largest one, which is the worker.
FILL_MEMORY = """\
import os, time
for _ in range(12):
    if os.fork() == 0:
        taken = bytearray(b"x") * (30 << 20)
        time.sleep(20)
        os._exit(0)
time.sleep(20)
"""


def index_of(pod: dict[str, Any]) -> int:
    return int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"])


def twin_of(pod: dict[str, Any]) -> dict[str, Any]:
    """Another pod with the same index. Without the label that the controller would adopt it by, and then end it."""
    labels = {key: value for key, value in pod["metadata"]["labels"].items() if "controller-uid" not in key}
    about = {"name": "twin", "labels": labels, **{key: pod["metadata"][key] for key in ("namespace", "annotations")}}
    spec = {key: value for key, value in pod["spec"].items() if key not in ("nodeName", "hostname")}
    spec["containers"][0]["resources"] = {}  # there is room for it on whatever node this is
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}


def counted(run: Launched) -> int:
    try:
        lines = (run.folder / "seconds.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return sum(line["ok"] for line in map(json.loads, lines))


def in_full_swing(ground: Grounds, **sizes: str) -> Launched:
    """A run whose first counts have arrived here."""
    run = ground.launch(plan=LONG, **sizes)
    run.wait_for_phase("hold")
    run.wait_for(lambda: counted(run) > 200, within_s=60)
    return run


def test_an_index_started_twice_is_named_and_a_stop_from_elsewhere_ends_the_load_at_once(grounds: GroundsFor) -> None:
    ground = grounds(STEADY)
    run = in_full_swing(ground)
    ground.cluster.apply(twin_of(ground.pods(run, "worker")[0]))
    run.wait_for(lambda: run.events("worker_duplicate"), within_s=90)
    # Nobody's pod: a Job's own twin would go with the Job.
    ground.cluster.kubectl("-n", ground.namespace, "delete", "pod", "twin", "--wait=false")

    asked_unix_s = time.time()
    stopped = ground.golive("stop", run.run_id, "--on", "cluster")
    assert stopped.returncode == 0, stopped.stderr
    assert run.end() == 3, run.said()
    ended = run.events("load_ended")[0]
    assert "golive stop" in ended["because"]
    assert ended["at_unix_s"] - asked_unix_s < 5.0
    assert "twin" in run.findings["worker-started-twice"]
    assert ground.left() == []


def test_a_worker_out_of_memory_is_named_and_the_others_hand_over_everything(grounds: GroundsFor) -> None:
    ground = grounds(STEADY)
    run = in_full_swing(ground, memory="350Mi")
    filled = {index_of(pod): pod["metadata"]["name"] for pod in ground.pods(run, "worker")}[0]
    with suppress(HarnessError):  # what runs inside is ended with the container
        ground.cluster.kubectl("-n", ground.namespace, "exec", filled, "--", "python", "-c", FILL_MEMORY)
    assert run.end() == 3, run.said()
    assert filled in run.findings["worker-oom-killed"]
    # The Job ends the worker that is left (backoffLimit: 0), which hands in its last counts first.
    assert [event["worker"] for event in run.events("worker_drained")] == [1]
    assert run.judged("error-rate")["outcome"] == "unproven"
    assert ground.left() == []


def test_a_drained_node_is_named_and_its_worker_hands_over_everything(grounds: GroundsFor) -> None:
    ground = grounds(STEADY)
    run = in_full_swing(ground)
    kubectl, here = ground.cluster.kubectl, ("-n", ground.namespace)
    pod = ground.pods(run, "worker")[0]
    node = pod["spec"]["nodeName"]
    kubectl(*here, "delete", "poddisruptionbudget", "--all")  # which would refuse the drain
    selector = f"batch.kubernetes.io/job-completion-index={index_of(pod)},golive/run={run.run_id}"
    try:
        kubectl("drain", node, "--pod-selector", selector, "--force", "--delete-emptydir-data", "--timeout=90s")
    finally:
        kubectl("uncordon", node)
    assert run.end() == 3, run.said()
    assert {"node-drained", "worker-evicted"} & run.findings.keys()
    assert pod["metadata"]["name"] in "".join(run.findings.values())
    assert index_of(pod) in {event["worker"] for event in run.events("worker_drained")}
    assert ground.left() == []


def test_a_lost_master_ends_the_load_and_what_has_arrived_is_judged(grounds: GroundsFor) -> None:
    ground = grounds(STEADY)
    run = in_full_swing(ground)
    container = ground.pods(run, "master")[0]["status"]["containerStatuses"][0]["containerID"]
    ground.cluster.ctr("tasks", "kill", "--signal", "SIGKILL", container.removeprefix("containerd://"))
    assert run.end() == 3, run.said()
    assert "master-lost" in run.findings
    assert "exit 137" in run.events("master_pod_lost")[0]["because"]
    assert all(one["outcome"] == "unproven" for one in run.verdict["judgements"])
    assert ground.left() == []


def test_a_throttled_worker_is_found_by_its_own_cgroups_figures(grounds: GroundsFor) -> None:
    ground = grounds(Platform(hpa=None, min_replicas=3))
    # At 400/s a worker on a quick machine gets by with a twentieth of a core.
    plan = a_plan(rps=1200, workers=1, climb="1s", hold="15s", throttled_ratio=0.05)
    run = ground.launch(plan=plan, cpu="50m")
    assert run.end() in (1, 3), run.said()
    assert "CPU quota" in run.findings["worker-starved"]
