//! Servers behind TLS for the tests: each says what it saw of every client.

#![allow(dead_code, clippy::must_use_candidate, clippy::new_without_default)] // each test file uses its own part

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

/// An authority that makes out certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Identity {
    pub certificate: CertificateDer<'static>,
    pub certificate_pem: String,
    pub key_pem: String,
    key_der: Vec<u8>,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
        Self { issuer }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    pub fn identity(&self, name: &str) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_string()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            certificate: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            key_der: key.serialize_der(),
        }
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("a root");
        roots
    }
}

/// How a server is secured.
pub struct Wanted<'a> {
    pub versions: &'a [&'static SupportedProtocolVersion],
    pub clients_of: Option<&'a Authority>,
    pub alpn: &'a [&'a [u8]],
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { versions: rustls::ALL_VERSIONS, clients_of: None, alpn: &[] }
    }
}

/// A configuration for an identity.
pub fn configuration(identity: &Identity, wanted: &Wanted<'_>) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(wanted.versions)
        .expect("versions");
    let builder = match wanted.clients_of {
        None => builder.with_no_client_auth(),
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider)
                .build()
                .expect("a verifier"),
        ),
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key_der.clone()));
    let mut config = builder.with_single_cert(vec![identity.certificate.clone()], key).expect("a configuration");
    config.alpn_protocols = wanted.alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// A configuration that shows a certificate so many times.
pub fn configuration_of_chain(identity: &Identity, length: usize) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key_der.clone()));
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("versions")
        .with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![identity.certificate.clone(); length], key).expect("a configuration"))
}

/// What a server saw of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub name: Option<String>,
    pub version: String,
    pub certificate: Option<Vec<u8>>,
    pub resumed: bool,
    pub requests: Vec<String>,
}

/// A listening server behind TLS that answers every request well.
pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// The clients that sent a request.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("a list").clone()
    }
}

/// Serve until the test process ends.
pub fn serve(config: Arc<ServerConfig>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, told) = (Arc::clone(&config), Arc::clone(&told));
            thread::spawn(move || {
                let session = ServerConnection::new(config).expect("a session");
                converse(StreamOwned::new(session, stream), &told);
            });
        }
    });
    Server { port, seen }
}

fn converse(mut stream: StreamOwned<ServerConnection, std::net::TcpStream>, told: &Mutex<Vec<Seen>>) {
    let mut chunk = [0u8; 4096];
    let mut mine: Option<usize> = None;
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        let request = String::from_utf8_lossy(&chunk[..count]).to_string();
        let mut told = told.lock().expect("a list");
        let index = *mine.get_or_insert_with(|| {
            told.push(Seen {
                name: stream.conn.server_name().map(str::to_string),
                version: format!("{:?}", stream.conn.protocol_version().expect("a version")),
                certificate: stream.conn.peer_certificates().map(|chain| chain[0].to_vec()),
                resumed: stream.conn.handshake_kind() == Some(HandshakeKind::Resumed),
                requests: Vec::new(),
            });
            told.len() - 1
        });
        told[index].requests.push(request);
        drop(told);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
            return;
        }
    }
}
