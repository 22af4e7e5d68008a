//! Where requests go: the plan's base URL, resolved once, and the streams to it, plain or TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as BlockingStream, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;

use crate::addresses::{Addresses, Spread};
use crate::cookies::Site;
use crate::error::EngineError;
use crate::greeting;
use crate::http2_once;
use crate::once::is_time_out;
use crate::plain::PlainStream;
use crate::plan::{refuse, Plan};
use crate::policy::Http;
use crate::tls::{Tls, HTTP2};

/// The plan's base URL, taken apart.
#[derive(Debug, Clone)]
pub struct Target {
    pub host_header: String,
    pub base_path: String,
    name: String,
    port: u16,
    spread: Spread,
    tls: Option<Tls>,
    pub http: Http,
    pub address: Option<SocketAddr>,
    pub addresses: Arc<Addresses>,
}

impl Target {
    /// Take a plan's base URL apart; reads the trusted roots for https.
    pub fn of(plan: &Plan) -> Result<Self, EngineError> {
        let (secure, rest) = match plan.base_url.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return refuse("base_url", format!("{:?} is neither http:// nor https://", plan.base_url)),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        if authority.contains('@') || path.contains(['?', '#']) {
            return refuse("base_url", "takes no user, query or fragment".into());
        }
        let (name, port) = split_authority(authority, if secure { 443 } else { 80 })?;
        let tls = if secure { Some(Tls::of(plan, &name)?) } else { None };
        Ok(Self {
            host_header: authority.to_string(),
            base_path: path.trim_end_matches('/').to_string(),
            name,
            port,
            tls,
            http: plan.connection.http,
            spread: plan.addresses,
            address: None,
            addresses: Arc::default(),
        })
    }

    /// Find the target's address and take one connection to show that it is there.
    pub fn resolve(&mut self, timeout: Duration) -> Result<(), String> {
        let found: Vec<SocketAddr> = (self.name.as_str(), self.port)
            .to_socket_addrs()
            .map_err(|error| format!("the name {} cannot be resolved: {error}", self.name))?
            .collect();
        let mut last = format!("the name {} has no address", self.name);
        for address in found.iter().copied() {
            match BlockingStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    self.address = Some(address);
                    self.addresses = Arc::new(Addresses::of(&found, address, self.spread, timeout));
                    return self.greet(stream, timeout);
                }
                Err(error) => last = format!("{} by {address}", plainly(&error)),
            }
        }
        Err(last)
    }

    /// The site whose cookies are kept.
    #[must_use]
    pub fn site(&self) -> Site {
        Site { host: self.name.clone(), is_secure: self.tls.is_some() }
    }

    /// Shake hands once, and speak the plan's protocol, so that what does not do is told before the load.
    fn greet(&self, stream: BlockingStream, timeout: Duration) -> Result<(), String> {
        if let Some(tls) = &self.tls {
            greeting::in_tls(secured(tls, stream), timeout).map_err(|error| {
                format!("the TLS handshake with {} failed: {}", self.host_header, in_handshake(&error))
            })?;
        }
        if self.http == Http::One {
            return Ok(());
        }
        http2_once::speak(self, timeout)
            .map_err(|error| format!("{} does not speak HTTP/2: {}", self.host_header, plainly(&error)))
    }

    /// A stream for the login, with time-outs.
    pub fn blocking(&self, timeout: Duration) -> io::Result<Box<dyn ReadWrite>> {
        let address = self.address.ok_or(io::ErrorKind::NotConnected)?;
        let stream = BlockingStream::connect_timeout(&address, timeout)?;
        stream.set_read_timeout(Some(timeout))?;
        stream.set_write_timeout(Some(timeout))?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Box::new(stream)),
            Some(tls) => Ok(Box::new(secured(tls, stream)?)),
        }
    }

    /// A stream for the load, to the address at this place.
    pub async fn connect(&self, place: usize) -> io::Result<Stream> {
        let address = self.addresses.at(place).ok_or(io::ErrorKind::NotConnected)?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => Ok(Stream::Plain(PlainStream(stream))),
            Some(tls) => {
                let connector = TlsConnector::from(Arc::clone(&tls.config));
                let stream = connector.connect(tls.name.clone(), stream).await?;
                if self.http == Http::Two && stream.get_ref().1.alpn_protocol() != Some(HTTP2) {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the server does not offer HTTP/2 (ALPN)"));
                }
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }
}

fn secured(tls: &Tls, stream: BlockingStream) -> io::Result<StreamOwned<ClientConnection, BlockingStream>> {
    let session = ClientConnection::new(Arc::clone(&tls.config), tls.name.clone()).map_err(io::Error::other)?;
    Ok(StreamOwned::new(session, stream))
}

/// A blocking stream of either kind.
pub trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

fn plainly(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::TimedOut => "no connection in time".into(),
        _ => error.to_string(),
    }
}

fn in_handshake(error: &io::Error) -> String {
    match error.kind() {
        _ if is_time_out(error) => "no answer in time".into(),
        io::ErrorKind::UnexpectedEof => "the server ended the connection without a reason".into(),
        _ => error.to_string(),
    }
}

fn split_authority(authority: &str, default_port: u16) -> Result<(String, u16), EngineError> {
    let (name, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':')),
        None => authority.rsplit_once(':').map_or((authority, None), |(name, port)| (name, Some(port))),
    };
    let port = port.map_or(Ok(default_port), str::parse);
    match port {
        Ok(port) if port > 0 && !name.is_empty() => Ok((name.to_string(), port)),
        _ => refuse("base_url", format!("{authority:?} is no host and port")),
    }
}

/// A connection's bytes, whichever way they travel.
#[derive(Debug)]
pub enum Stream {
    Plain(PlainStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
