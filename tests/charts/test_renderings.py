"""What must be true of every rendering, whatever the values."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from loadtest.cluster.master_pod import METRICS_PORT_VARIABLE
from tests.charts.helm import Manifest, manifests, needs_helm, rendered, value_sets
from tests.charts.places import VALUES

pytestmark = needs_helm

every_value_set = pytest.mark.parametrize("value_set", value_sets())
READABLE = {"horizontalpodautoscalers", "deployments", "replicasets", "statefulsets", "pods", "events", "jobs", "nodes"}


def of_kind(value_set: str, kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests(value_set) if manifest["kind"] == kind]


def named(value_set: str, kind: str, ending: str) -> Manifest:
    return next(manifest for manifest in of_kind(value_set, kind) if manifest["metadata"]["name"].endswith(ending))


def pods(value_set: str) -> list[dict[str, Any]]:
    return [job["spec"]["template"] for job in of_kind(value_set, "Job")]


@every_value_set
def test_every_pod_is_restricted(value_set: str) -> None:
    """The rules of the Pod Security Standard, and a read-only root beside."""
    for pod in pods(value_set):
        spec = pod["spec"]
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}


@every_value_set
def test_every_pod_is_in_the_guaranteed_class(value_set: str) -> None:
    for pod in pods(value_set):
        for container in pod["spec"]["containers"]:
            assert {"cpu", "memory"} <= container["resources"]["limits"].keys()
            assert container["resources"]["limits"] == container["resources"]["requests"]


@every_value_set
def test_no_job_tries_twice_or_runs_for_ever(value_set: str) -> None:
    for job in of_kind(value_set, "Job"):
        assert job["spec"]["backoffLimit"] == 0
        assert job["spec"]["activeDeadlineSeconds"] > 0
        assert job["spec"]["ttlSecondsAfterFinished"] > 0
        assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"


@every_value_set
def test_only_the_master_has_a_token_and_secrets(value_set: str) -> None:
    for pod in pods(value_set):
        is_master = pod["metadata"]["labels"]["app.kubernetes.io/component"] == "master"
        assert pod["spec"]["automountServiceAccountToken"] is is_master
        assert is_master or "secretKeyRef" not in json.dumps(pod)
    assert not any(account["automountServiceAccountToken"] for account in of_kind(value_set, "ServiceAccount"))


@every_value_set
def test_roles_only_read_and_keep_one_lease(value_set: str) -> None:
    for role in of_kind(value_set, "Role") + of_kind(value_set, "ClusterRole"):
        for rule in role["rules"]:
            if rule["resources"] == ["leases"]:
                assert len(rule["resourceNames"]) == 1
                continue
            assert set(rule["verbs"]) == {"get", "list", "watch"}
            assert set(rule["resources"]) <= READABLE


@every_value_set
def test_the_service_finds_the_master_and_nothing_else(value_set: str) -> None:
    selector = of_kind(value_set, "Service")[0]["spec"]["selector"]
    found = [pod for pod in pods(value_set) if selector.items() <= pod["metadata"]["labels"].items()]
    assert [pod["spec"]["containers"][0]["args"] for pod in found] == [["master"]]


@every_value_set
def test_workers_are_told_the_masters_own_host_name(value_set: str) -> None:
    master = named(value_set, "Job", "-master")["spec"]["template"]["spec"]
    worker = named(value_set, "Job", "-worker")["spec"]["template"]["spec"]
    told = {entry["name"]: entry.get("value") for entry in worker["containers"][0]["env"]}
    assert told["GOLIVE_MASTER_HOST"] == f"{master['hostname']}.{master['subdomain']}.golive.svc"
    assert of_kind(value_set, "Service")[0]["metadata"]["name"] == master["subdomain"]


@every_value_set
def test_the_master_may_keep_its_record_after_the_workers_must_have_ended(value_set: str) -> None:
    master = named(value_set, "Job", "-master")["spec"]
    worker = named(value_set, "Job", "-worker")["spec"]
    assert master["activeDeadlineSeconds"] == worker["activeDeadlineSeconds"] + master["ttlSecondsAfterFinished"]
    assert worker["template"]["spec"]["activeDeadlineSeconds"] == worker["activeDeadlineSeconds"]


@every_value_set
def test_a_budget_counts_the_jobs_own_pods_only(value_set: str) -> None:
    for budget in of_kind(value_set, "PodDisruptionBudget"):
        name = budget["metadata"]["name"]
        job = next(job for job in of_kind(value_set, "Job") if job["metadata"]["name"] == name)
        assert budget["spec"]["minAvailable"] == job["spec"]["parallelism"]
        assert budget["spec"]["selector"]["matchLabels"] == {"batch.kubernetes.io/job-name": name}


@every_value_set
def test_what_is_sealed_is_sealed_both_ways(value_set: str) -> None:
    for policy in of_kind(value_set, "NetworkPolicy"):
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert {} not in policy["spec"]["egress"]


def test_without_a_policy_there_is_none_and_no_test_of_it() -> None:
    assert not of_kind("open", "NetworkPolicy")
    assert "-stray" not in rendered("open")
    assert "-reach" in rendered("open")


def test_where_nothing_enforces_the_policies_stay_and_their_test_goes() -> None:
    assert len(of_kind("private-mesh", "NetworkPolicy")) == 2
    assert "-stray" not in rendered("private-mesh")


def test_the_master_answers_workers_and_whoever_may_scrape() -> None:
    ingress = named("full", "NetworkPolicy", "-master")["spec"]["ingress"]
    assert [[port["port"] for port in rule["ports"]] for rule in ingress] == [[5557], [9646]]
    assert named("full", "NetworkPolicy", "-worker")["spec"]["ingress"] == []


def test_metrics_are_served_where_they_are_asked_for_and_nowhere_else() -> None:
    def told(value_set: str) -> tuple[list[str], list[str]]:
        container = named(value_set, "Job", "-master")["spec"]["template"]["spec"]["containers"][0]
        variables = [one["value"] for one in container["env"] if one["name"] == METRICS_PORT_VARIABLE]
        return variables, [port["name"] for port in container["ports"]]

    assert told("full") == (["9646"], ["locust", "metrics"])  # by its PodMonitor
    assert told("open") == (["9646"], ["locust", "metrics"])  # without one
    assert told("minimal") == ([], ["locust"])
    monitor = named("full", "PodMonitor", "-master")["spec"]
    assert monitor["podMetricsEndpoints"][0]["port"] == "metrics"
    pod = named("full", "Job", "-master")["spec"]["template"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"].items() <= pod.items()


def test_a_role_is_made_in_each_target_namespace_once() -> None:
    places = [
        role["metadata"]["namespace"] for role in of_kind("full", "Role") if role["metadata"]["name"].endswith("-watch")
    ]
    assert sorted(places) == ["tartware-data", "tartware-system"]


def test_both_roles_keep_off_the_targets_nodes() -> None:
    for ending in ("-master", "-worker"):
        rules = named("full", "Job", ending)["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]
        term = rules["requiredDuringSchedulingIgnoredDuringExecution"][0]
        assert term["namespaces"] == ["tartware-system", "tartware-data"]


def test_the_users_affinity_stays_beside_ours() -> None:
    affinity = named("full", "Job", "-worker")["spec"]["template"]["spec"]["affinity"]
    assert "nodeAffinity" in affinity
    assert affinity["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["weight"] == 50


def test_a_spread_without_selector_is_about_this_runs_workers() -> None:
    workers = named("full", "Job", "-worker")["spec"]["template"]
    ours, theirs = workers["spec"]["topologySpreadConstraints"]
    assert ours["labelSelector"]["matchLabels"].items() <= workers["metadata"]["labels"].items()
    assert theirs["labelSelector"] == {"matchLabels": {"team": "sre"}}


def test_a_null_takes_a_security_setting_out() -> None:
    assert "runAsUser" not in named("private-mesh", "Job", "-master")["spec"]["template"]["spec"]["securityContext"]
    assert yaml.safe_load(VALUES.read_text())["podSecurityContext"]["runAsUser"] == 10001


def test_the_volume_is_the_given_one_or_a_new_one_or_none() -> None:
    def results(value_set: str) -> dict[str, Any]:
        volumes = named(value_set, "Job", "-master")["spec"]["template"]["spec"]["volumes"]
        return next(volume for volume in volumes if volume["name"] == "results")

    claim = of_kind("claim", "PersistentVolumeClaim")[0]["metadata"]
    assert results("claim")["persistentVolumeClaim"] == {"claimName": claim["name"]}
    assert claim["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert results("private-mesh")["persistentVolumeClaim"] == {"claimName": "records"}
    assert not of_kind("private-mesh", "PersistentVolumeClaim")
    assert results("minimal")["emptyDir"] == {"sizeLimit": "8Gi"}
