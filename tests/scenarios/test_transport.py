"""TLS and the connection policy: read from a plan or a target, checked, compiled, and the key told to nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest import _engine
from loadtest.cluster.orders import portable
from loadtest.run_orders import compiled_plan
from scenarios.engine_plan import redacted_engine_plan
from scenarios.errors import PlanError
from scenarios.files import load_plan, read_targets
from scenarios.plan import Plan
from scenarios.plan_check import check_plan
from scenarios.plan_json import plan_from_json, plan_to_json
from scenarios.target import Target, TargetClass
from scenarios.transport import ConnectionPolicy, Tls, careless, in_words

HERE = Target(name="here", url="https://127.0.0.1:1", target_class=TargetClass.REHEARSAL)
PHASES = "phases: [{name: hold, duration: 30s, from_share: 1, to_share: 1}]\n"
KEY = "-----BEGIN PRIVATE KEY-----\nnobody may read this\n-----END PRIVATE KEY-----\n"


def a_plan(folder: Path, sending: str, target: Target = HERE) -> Plan:
    file = folder / "mine.yaml"
    file.write_text(f"workload: ota-heavy\nobjectives: smoke\nrate_to_prove_rps: 100\n{PHASES}sending: {sending}\n")
    return load_plan(str(file), target=target)


def certified(folder: Path) -> Tls:
    (folder / "client.pem").write_text("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n")
    (folder / "client.key").write_text(KEY)
    return Tls(
        client_certificate_file=str(folder / "client.pem"), client_key_file=str(folder / "client.key"), minimum="1.3"
    )


def test_a_plan_says_how_connections_are_secured_and_used(tmp_path: Path) -> None:
    plan = a_plan(
        tmp_path, '{tls: {minimum: "1.3", server_name: api.example}, connection: {requests_per_connection: 9}}'
    )
    assert plan.tls == Tls(minimum="1.3", server_name="api.example")
    assert plan.sending.connection == ConnectionPolicy(requests_per_connection=9)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_a_targets_own_tls_goes_before_the_plans(tmp_path: Path) -> None:
    target = replace(HERE, tls=Tls(server_name="target.example"))
    assert a_plan(tmp_path, "{tls: {server_name: plan.example}}", target).tls.server_name == "target.example"


@pytest.mark.parametrize(
    ("sending", "told"),
    [
        ('{tls: {minimum: "1.3", maximum: "1.2"}}', "above tls.maximum"),
        ("{tls: {client_key_file: a.key}}", "needs both"),
        ("{tls: {client_certificate_file: a, client_key_file: b, client_key_env: C}}", "one of them"),
        ("{connection: {requests_per_connection: 0}}", "requests_per_connection 0"),
        ("{connection: {lifetime_s: 0.0}}", "lifetime_s 0"),
        ("{connection: {streams_per_connection: 0}}", "streams_per_connection 0"),
        ("{connection: {http: 2}}", "connection.http"),
        ('{connection: {http: "3"}}', "connection.http"),
        ("{tls: {minimum: 1.2}}", "tls.minimum"),
        ("{tls: {trust: me}}", "tls.trust"),
    ],
)
def test_what_no_connection_can_be_held_to_is_refused(tmp_path: Path, sending: str, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        check_plan(a_plan(tmp_path, sending))


def test_the_engine_understands_every_key(tmp_path: Path) -> None:
    sending = '{tls: {insecure: true}, connection: {http: "2", keep_alive: false, lifetime_s: 2.5}}'
    plan = a_plan(tmp_path, sending)
    compiled = json.loads(compiled_plan(plan, run_date="2026-11-24"))
    _engine.validate_plan(json.dumps(compiled))
    assert compiled["connection"] == {
        "http": "2",
        "streams_per_connection": 100,
        "keep_alive": False,
        "requests_per_connection": None,
        "lifetime_us": 2_500_000,
    }


def test_the_key_goes_to_the_engine_and_never_into_the_record_or_a_config_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(a_plan(tmp_path, "{}"), target=replace(HERE, tls=certified(tmp_path)))
    assert json.loads(compiled_plan(plan, run_date="2026-11-24"))["tls"]["client_key_pem"] == KEY
    written = json.dumps([redacted_engine_plan(plan, run_date="2026-11-24"), plan_to_json(plan)])
    assert "nobody may read this" not in written
    assert "(secret)" in written
    with pytest.raises(PlanError, match="does not travel"):
        portable(plan)
    monkeypatch.setenv("CLIENT_KEY", KEY)
    in_environment = replace(certified(tmp_path), client_key_file="", client_key_env="CLIENT_KEY")
    carried = portable(replace(plan, target=replace(HERE, tls=in_environment)))
    assert "nobody may read this" not in carried.text + json.dumps(dict(carried.files))


def test_a_key_that_is_not_there_is_told_by_its_name(tmp_path: Path) -> None:
    missing = replace(certified(tmp_path), client_key_file="", client_key_env="NO_SUCH_KEY")
    plan = replace(a_plan(tmp_path, "{}"), target=replace(HERE, tls=missing))
    with pytest.raises(PlanError, match="NO_SUCH_KEY is not set"):
        compiled_plan(plan, run_date="2026-11-24")


NAMED = "{trust_ca_file: ca.pem, tls: {client_certificate_file: pki/client.pem, client_key_file: pki/client.key}}"


def with_files(folder: Path) -> Path:
    """The files that NAMED names, beside the file that will name them."""
    (folder / "pki").mkdir(parents=True)
    certified(folder / "pki")
    (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    return folder


def test_relative_paths_start_in_the_plans_folder_wherever_golive_and_its_master_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = with_files(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    plan = a_plan(Path("mine"), NAMED)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # as the master does
    compiled = json.loads(compiled_plan(plan_from_json(plan_to_json(plan)), run_date="2026-11-24"))
    assert compiled["ca_pem"] == "-----BEGIN CERTIFICATE-----"
    assert compiled["tls"]["client_key_pem"] == KEY
    assert plan.tls.client_certificate_file == str(folder / "pki" / "client.pem")


def test_a_targets_relative_paths_start_beside_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = with_files(tmp_path / "listed") / "targets.yaml"
    tls = "tls: {client_certificate_file: pki/client.pem, client_key_file: pki/client.key}"
    other = "tls: {client_certificate_file: not-on-this-machine.pem, client_key_env: OTHER}"
    entry = "- {name: %s, url: 'https://%s.example', target_class: rehearsal, %s}\n"
    listed.write_text(entry % ("one", "one", tls) + entry % ("two", "two", other))
    monkeypatch.chdir(tmp_path)
    one, two = read_targets(Path("listed/targets.yaml"))
    monkeypatch.chdir("/")
    plan = a_plan(tmp_path, "{}", one)
    assert json.loads(compiled_plan(plan, run_date="2026-11-24"))["tls"]["client_key_pem"] == KEY
    with pytest.raises(
        PlanError, match=r"target 'two': `tls.client_certificate_file`: .*listed/not-on-this-machine.pem"
    ):
        a_plan(tmp_path, "{}", two)


@pytest.mark.parametrize(
    ("gone", "key"),
    [
        ("ca.pem", "sending.trust_ca_file"),
        ("pki/client.pem", "sending.tls.client_certificate_file"),
        ("pki/client.key", "sending.tls.client_key_file"),
    ],
)
def test_a_file_that_is_not_there_is_told_when_the_plan_is_loaded(tmp_path: Path, gone: str, key: str) -> None:
    folder = with_files(tmp_path / "mine")
    (folder / gone).unlink()
    told = re.escape(f"{folder / 'mine.yaml'}: `{key}`: {folder / gone}: No such file or directory.")
    with pytest.raises(PlanError, match=told) as caught:
        a_plan(folder, NAMED)
    assert "in the folder of the file that names it" in caught.value.remedy


def test_insecure_is_said_and_only_then() -> None:
    assert careless(Tls(insecure=True)).startswith("insecure")
    assert careless(Tls()) == ""


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (ConnectionPolicy(), "kept as long as the target keeps them"),
        (ConnectionPolicy(keep_alive=False), "a new connection for every request"),
        (ConnectionPolicy(requests_per_connection=1000, lifetime_s=60), "kept for at most 1,000 requests or 60 s"),
        (
            ConnectionPolicy(http="2"),
            "HTTP/2, at most 100 requests at a time on each, kept as long as the target keeps them",
        ),
    ],
)
def test_a_report_tells_the_policy_in_words(policy: ConnectionPolicy, words: str) -> None:
    assert in_words(policy) == words
