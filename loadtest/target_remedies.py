"""What to do about a target that cannot be used, by what the engine says of it."""

from __future__ import annotations

USUAL = "Check that the target is up, and its address and credentials."
CLIENT_CERTIFICATE = (
    "The target wants a client certificate that it trusts: `tls: {client_certificate_file: …, client_key_file: …}`."
)
WITHOUT_HTTP2 = 'The target speaks no HTTP/2 there: leave it out (`connection: {http: "1.1"}`), or check the port.'
# The first whose words stand in the engine's. rustls names what it objects to, and each alert, by one of these words.
REMEDIES = (
    ("UnknownIssuer", "Name the authority that made out the target's certificate: `sending: {trust_ca_file: ca.pem}`."),
    (
        "certificate not valid for name",
        "Write the name that the certificate is for into the target's `url`, or name it: `tls: {server_name: NAME}`.",
    ),
    (": Expired", "Have the target's certificate renewed, and check this machine's clock."),
    ("NotValidYet", "Check this machine's clock, and the target's."),
    ("CertificateRequired", CLIENT_CERTIFICATE),
    ("does not take the client's certificate", CLIENT_CERTIFICATE),
    ("alert: UnknownCA", CLIENT_CERTIFICATE),
    ("ProtocolVersion", "The target speaks other versions of TLS than `tls: {minimum: …, maximum: …}` allows."),
    ("NoApplicationProtocol", WITHOUT_HTTP2),
    ("does not speak HTTP/2", WITHOUT_HTTP2),
    ("InvalidContentType", "What answers there is no TLS: check the port, or write `http://` in the target's `url`."),
    (
        "TLS handshake",
        "Check that the target speaks TLS at this port, in a version that `tls: {minimum: …, maximum: …}` allows.",
    ),
    ("cannot be resolved", "Check the name in the target's `url`, and that this machine can look it up."),
    ("the login at", "Check the workload's `login`, and the secrets it takes from the environment."),
)


def remedy_for(problem: str) -> str:
    """What to do about it, in one sentence."""
    return next((remedy for words, remedy in REMEDIES if words in problem), USUAL)
