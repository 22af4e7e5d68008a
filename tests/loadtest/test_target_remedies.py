"""What to do about a target that cannot be used: by what the engine says of real servers."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from loadtest.target_remedies import USUAL, remedy_for
from loadtest.trial import try_plan
from scenarios.errors import PreflightFailed
from scenarios.plan import Sending
from scenarios.target import Target, TargetClass
from scenarios.transport import ConnectionPolicy, Tls
from tests.end_to_end.certificates import a_certificate, an_authority
from tests.http_server import CountingServer
from tests.loadtest.builders import a_plan

HTTP2 = ConnectionPolicy(http="2")


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that no system knows, and a server's certificate of its making, good for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("papers")
    an_authority(folder, "authority")
    a_certificate(folder, "server", by="authority")
    return folder


def a_server(papers: Path, *, asks_for_certificates: bool = False) -> CountingServer:
    """A server that speaks TLS 1.3 and HTTP/1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(papers / "server.pem", papers / "server.key")
    if asks_for_certificates:
        context.load_verify_locations(papers / "authority.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return CountingServer(secured=context)


def advice(url: str, sending: Sending) -> str:
    """What is advised when nothing can be sent there so."""
    target = Target(name="shop", url=url, target_class=TargetClass.REHEARSAL)
    with pytest.raises(PreflightFailed) as told:
        try_plan(a_plan(target=target, sending=sending))
    return str(told.value).partition("Remedy: ")[2]


def test_each_way_to_fail_in_the_handshake_has_its_own_remedy(papers: Path) -> None:
    trusted = str(papers / "authority.pem")
    with a_server(papers) as server:
        for sending, setting in (
            (Sending(), "trust_ca_file"),
            (Sending(trust_ca_file=trusted, tls=Tls(server_name="other.example")), "server_name"),
            (Sending(trust_ca_file=trusted, tls=Tls(maximum="1.2")), "maximum"),
        ):
            assert setting in advice(server.url, sending)
    with a_server(papers, asks_for_certificates=True) as server:
        assert "client_certificate_file" in advice(server.url, Sending(trust_ca_file=trusted))


def test_a_port_that_speaks_another_protocol_is_told_from_one_that_is_down(papers: Path) -> None:
    with CountingServer() as plain:
        assert "speaks TLS at this port" in advice(plain.url.replace("http:", "https:"), Sending())
        assert 'http: "1.1"' in advice(plain.url, Sending(connection=HTTP2))
    assert "name" in advice("http://nowhere.invalid", Sending())
    assert advice("http://127.0.0.1:9", Sending()) == USUAL


@pytest.mark.parametrize(
    ("problem", "setting"),
    [
        ("received fatal alert: NoApplicationProtocol", 'http: "1.1"'),
        ("invalid peer certificate: Expired", "renewed"),
        ("received corrupt message of type InvalidContentType", "http://"),
        ("received fatal alert: CertificateRequired", "client_certificate_file"),
        ("the login at /login failed: status 401", "login"),
    ],
)
def test_what_other_servers_object_to_is_known_by_its_words(problem: str, setting: str) -> None:
    assert setting in remedy_for(problem)
