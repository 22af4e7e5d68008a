"""One authority, everybody's certificates and the kubeconfigs made of them; by openssl, kept between clusters."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.addresses import API_URL, HOST_ADDRESS, KUBERNETES_SERVICE, NODE, NODE_ADDRESS
from tests.cluster.commands import call

DAYS = "3650"
_REMEDY = "Is openssl (3.x) installed?"
USERS = ("admin", "controller-manager", "scheduler", "node", "proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Whose it is, and under which names it answers."""

    name: str
    subject: str
    answers_to: tuple[str, ...] = ()


CERTIFICATES = (
    Certificate(
        name="apiserver",
        subject="/CN=kube-apiserver",
        answers_to=(
            "DNS:localhost",
            "DNS:kubernetes",
            "DNS:kubernetes.default",
            "DNS:kubernetes.default.svc",
            "DNS:kubernetes.default.svc.cluster.local",
            "IP:127.0.0.1",
            f"IP:{NODE_ADDRESS}",
            f"IP:{KUBERNETES_SERVICE}",
        ),
    ),
    Certificate(name="kubelet", subject=f"/CN={NODE}", answers_to=(f"DNS:{NODE}", f"IP:{NODE_ADDRESS}")),
    Certificate(
        name="metrics",
        subject="/CN=metrics",
        answers_to=(
            "DNS:metrics-server.kube-system.svc",
            "DNS:custom-metrics.monitoring.svc",
            f"IP:{NODE_ADDRESS}",
            f"IP:{HOST_ADDRESS}",
        ),
    ),
    Certificate(name="admin", subject="/O=system:masters/CN=admin"),
    Certificate(name="controller-manager", subject="/CN=system:kube-controller-manager"),
    Certificate(name="scheduler", subject="/CN=system:kube-scheduler"),
    Certificate(name="node", subject=f"/O=system:nodes/CN=system:node:{NODE}"),
    Certificate(name="proxy", subject="/CN=system:kube-proxy"),
    Certificate(name="front-proxy", subject="/CN=front-proxy"),
)


def ensure(folder: Path) -> None:
    """Make them once, in one step: a folder that is there is whole, unless it was made for other names."""
    asked = repr((API_URL, CERTIFICATES))
    made_for = folder / "made-for"
    if made_for.exists() and made_for.read_text() == asked:
        return
    shutil.rmtree(folder, ignore_errors=True)
    making = folder.with_name(folder.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True, mode=0o700)
    _openssl(making, "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "ca.key")
    _openssl(
        making, "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=golive test", "-days", DAYS, "-out", "ca.crt"
    )
    for certificate in CERTIFICATES:
        _sign(making, certificate)
    _openssl(making, "genrsa", "-out", "service-accounts.key", "2048")
    for user in USERS:
        (making / f"{user}.conf").write_text(_kubeconfig(making, user))
    (making / "made-for").write_text(asked)
    making.rename(folder)


def _sign(folder: Path, certificate: Certificate) -> None:
    name = certificate.name
    extensions = ["extendedKeyUsage=serverAuth,clientAuth"]
    if certificate.answers_to:
        extensions.append(f"subjectAltName={','.join(certificate.answers_to)}")
    (folder / f"{name}.ext").write_text("\n".join(extensions))
    _openssl(folder, "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", f"{name}.key")
    _openssl(folder, "req", "-new", "-key", f"{name}.key", "-subj", certificate.subject, "-out", f"{name}.csr")
    _openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", DAYS, "-extfile", f"{name}.ext", "-out", f"{name}.crt",
    )  # fmt: skip
    (folder / f"{name}.csr").unlink()
    (folder / f"{name}.ext").unlink()


def _kubeconfig(folder: Path, user: str) -> str:
    """A kubeconfig that carries what it names, so that it can be copied."""

    def carried(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    cluster = {"server": API_URL, "certificate-authority-data": carried("ca.crt")}
    credentials = {"client-certificate-data": carried(f"{user}.crt"), "client-key-data": carried(f"{user}.key")}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "golive-test",
            "clusters": [{"name": "golive-test", "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": "golive-test", "context": {"cluster": "golive-test", "user": user}}],
        },
        indent=1,
    )


def _openssl(folder: Path, *words: str) -> None:
    call(["openssl", *words], remedy=_REMEDY, folder=folder)
