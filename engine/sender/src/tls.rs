//! TLS as the plan wants it: versions, authorities, a client certificate, the name asked for, and whether to look away.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::Resumption;
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use serde::Deserialize;

use crate::error::EngineError;
use crate::plan::{refuse, Plan};
use crate::policy::Http;

/// HTTP/2 by its name in a handshake (RFC 9113, 3.2).
pub const HTTP2: &[u8] = b"h2";

/// The plan's wishes for TLS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsPlan {
    pub minimum: Version,
    pub maximum: Version,
    pub server_name: String,
    pub insecure: bool,
    pub resumption: bool,
    pub client_certificate_pem: String,
    pub client_key_pem: Secret,
}

impl Default for TlsPlan {
    fn default() -> Self {
        Self {
            minimum: Version::Two,
            maximum: Version::Three,
            server_name: String::new(),
            insecure: false,
            resumption: true,
            client_certificate_pem: String::new(),
            client_key_pem: Secret::default(),
        }
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Version {
    #[serde(rename = "1.2")]
    Two,
    #[serde(rename = "1.3")]
    Three,
}

/// A text that nobody is shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(secret)")
    }
}

/// How connections to the target are secured.
#[derive(Debug, Clone)]
pub struct Tls {
    pub config: Arc<ClientConfig>,
    pub name: ServerName<'static>,
}

impl Tls {
    /// As the plan wants it, for a server of this name; reads the trusted roots.
    pub fn of(plan: &Plan, host: &str) -> Result<Self, EngineError> {
        let wanted = &plan.tls;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = versions(wanted)?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| EngineError::Plan { at: "tls".into(), what: error.to_string() })?;
        let builder = if wanted.insecure {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate { provider }))
        } else {
            builder.with_root_certificates(roots(plan)?)
        };
        let mut config = match client_certificate(wanted)? {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| EngineError::Plan { at: "tls.client_key_pem".into(), what: error.to_string() })?,
        };
        if plan.connection.http == Http::Two {
            config.alpn_protocols = vec![HTTP2.to_vec()];
        }
        if !wanted.resumption {
            config.resumption = Resumption::disabled();
        }
        let (at, name) = if wanted.server_name.is_empty() {
            ("base_url", host)
        } else {
            ("tls.server_name", wanted.server_name.as_str())
        };
        let name = ServerName::try_from(name.to_string())
            .map_err(|_| EngineError::Plan { at: at.into(), what: format!("{name:?} is no server name") })?;
        Ok(Self { config: Arc::new(config), name })
    }
}

fn versions(wanted: &TlsPlan) -> Result<Vec<&'static SupportedProtocolVersion>, EngineError> {
    let all = [(Version::Two, &rustls::version::TLS12), (Version::Three, &rustls::version::TLS13)];
    let within = |version: &Version| (wanted.minimum..=wanted.maximum).contains(version);
    let found: Vec<_> =
        all.into_iter().filter(|(version, _)| within(version)).map(|(_, supported)| supported).collect();
    if found.is_empty() {
        return refuse("tls.minimum", "is above tls.maximum".into());
    }
    Ok(found)
}

fn roots(plan: &Plan) -> Result<RootCertStore, EngineError> {
    let mut roots = RootCertStore::empty();
    if plan.ca_pem.is_empty() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    for certificate in certificates(&plan.ca_pem, "ca_pem")? {
        if roots.add(certificate).is_err() {
            return refuse("ca_pem", "holds something that is no certificate".into());
        }
    }
    if roots.is_empty() {
        return refuse("ca_pem", "holds no certificate, and the system offers none".into());
    }
    Ok(roots)
}

fn certificates(pem: &str, at: &str) -> Result<Vec<CertificateDer<'static>>, EngineError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    read.or_else(|_| refuse(at, "holds something that is no certificate".into()))
}

type ClientCertificate = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_certificate(wanted: &TlsPlan) -> Result<Option<ClientCertificate>, EngineError> {
    if wanted.client_certificate_pem.is_empty() && wanted.client_key_pem.0.is_empty() {
        return Ok(None);
    }
    let chain = certificates(&wanted.client_certificate_pem, "tls.client_certificate_pem")?;
    if chain.is_empty() {
        return refuse("tls.client_certificate_pem", "holds no certificate".into());
    }
    // What is wrong with a key is not told by its text.
    let Ok(key) = PrivateKeyDer::from_pem_slice(wanted.client_key_pem.0.as_bytes()) else {
        return refuse("tls.client_key_pem", "holds no private key in PEM".into());
    };
    Ok(Some((chain, key)))
}

/// Takes any certificate, whoever made it out and to whom; that the server has its key is still proved.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
