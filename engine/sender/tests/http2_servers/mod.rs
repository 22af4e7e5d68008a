//! Servers that speak HTTP/2, for the tests: each treats every request its own way and remembers what came on which
//! connection.

#![allow(dead_code)] // each test file uses its own part

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, Request, Response, StatusCode};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

/// How a server treats a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Answered with its own body, "ok" when it has none, a header `x-kind: fine`, and trailers.
    Fine,
    /// The same after 100 ms.
    Slow,
    Silent,
    Refused,
    ResetInBody,
    EndlessBody,
    DrippingBody,
    /// Interim answers without end.
    Interim,
    /// A head of so many headers, 100 bytes each.
    BigHead(usize),
    WrongLength,
    NotFound,
}

/// A server's ways.
#[derive(Debug, Clone, Copy)]
pub struct Ways {
    pub how: How,
    pub most_streams: u32,
    /// After so many requests a connection takes no more, says so, and answers what it has taken.
    pub goes_away_after: usize,
    /// After so many requests a connection is dropped without a word.
    pub drops_after: usize,
}

impl Default for Ways {
    fn default() -> Self {
        Self { how: How::Fine, most_streams: 1000, goes_away_after: usize::MAX, drops_after: usize::MAX }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Came {
    pub method: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A listening server.
pub struct Server {
    pub port: u16,
    seen: Arc<Mutex<Vec<Vec<Came>>>>,
}

impl Server {
    /// The requests of each connection that carried any.
    #[must_use]
    pub fn seen(&self) -> Vec<Vec<Came>> {
        self.seen.lock().expect("a list").iter().filter(|requests| !requests.is_empty()).cloned().collect()
    }
}

/// Serve until the test process ends; behind TLS when there is a configuration.
#[must_use]
pub fn serve(ways: Ways, tls: Option<Arc<ServerConfig>>) -> Server {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    listener.set_nonblocking(true).expect("non-blocking");
    let seen: Arc<Mutex<Vec<Vec<Came>>>> = Arc::default();
    let told = Arc::clone(&seen);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("an option");
                let (tls, told) = (tls.clone(), Arc::clone(&told));
                tokio::task::spawn_local(async move {
                    match tls {
                        None => converse(stream, ways, told).await,
                        Some(config) => {
                            if let Ok(stream) = tokio_rustls::TlsAcceptor::from(config).accept(stream).await {
                                converse(stream, ways, told).await;
                            }
                        }
                    }
                });
            }
        });
    });
    Server { port, seen }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin + 'static, ways: Ways, told: Arc<Mutex<Vec<Vec<Came>>>>) {
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(ways.most_streams);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    let mine = {
        let mut told = told.lock().expect("a list");
        told.push(Vec::new());
        told.len() - 1
    };
    let mut taken = 0;
    while let Some(Ok((request, respond))) = connection.accept().await {
        taken += 1;
        if taken == ways.goes_away_after {
            connection.graceful_shutdown();
        }
        if taken > ways.drops_after {
            return;
        }
        let told = Arc::clone(&told);
        tokio::task::spawn_local(async move {
            let came = read(request).await;
            told.lock().expect("a list")[mine].push(came.clone());
            // A client that has gone is none of the server's business here.
            let _ = treat(ways.how, came, respond).await;
        });
    }
}

async fn read(request: Request<RecvStream>) -> Came {
    let (parts, mut body) = request.into_parts();
    let mut bytes = Vec::new();
    while let Some(Ok(piece)) = body.data().await {
        let _ = body.flow_control().release_capacity(piece.len());
        bytes.extend_from_slice(&piece);
    }
    Came { method: parts.method.to_string(), uri: parts.uri.to_string(), headers: parts.headers, body: bytes }
}

async fn treat(how: How, came: Came, mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let head = Response::builder().header("x-kind", "fine");
    match how {
        How::Silent => tokio::time::sleep(Duration::from_secs(5)).await,
        How::Refused => respond.send_reset(Reason::REFUSED_STREAM),
        How::NotFound => drop(respond.send_response(head.status(404).body(()).expect("a head"), true)?),
        How::BigHead(headers) => {
            let head = (0..headers).fold(head, |head, at| head.header(format!("x-{at}"), "a".repeat(100)));
            respond.send_response(head.body(()).expect("a head"), true)?;
        }
        How::WrongLength => {
            let mut body =
                respond.send_response(head.header("content-length", "9").body(()).expect("a head"), false)?;
            body.send_data(Bytes::from_static(b"ok"), true)?;
        }
        How::Interim => loop {
            let interim = Response::builder().status(StatusCode::EARLY_HINTS).body(()).expect("a head");
            respond.send_informational(interim)?;
            tokio::task::yield_now().await;
        },
        How::ResetInBody => {
            let mut body = respond.send_response(head.body(()).expect("a head"), false)?;
            body.send_data(Bytes::from_static(b"begun"), false)?;
            tokio::time::sleep(Duration::from_millis(5)).await;
            body.send_reset(Reason::INTERNAL_ERROR);
        }
        How::EndlessBody | How::DrippingBody => {
            let mut body = respond.send_response(head.body(()).expect("a head"), false)?;
            let size = if how == How::EndlessBody { 16_384 } else { 1 };
            loop {
                body.reserve_capacity(size);
                std::future::poll_fn(|cx| body.poll_capacity(cx)).await.transpose()?;
                body.send_data(Bytes::from(vec![b'a'; size]), false)?;
                if how == How::DrippingBody {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        How::Fine | How::Slow => {
            if how == How::Slow {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            let mut body = respond.send_response(head.body(()).expect("a head"), false)?;
            // An empty frame that is not the last is taken for a flood by the 101st of them.
            let said = if came.body.is_empty() { Bytes::from_static(b"ok") } else { Bytes::from(came.body) };
            body.send_data(said, false)?;
            body.send_trailers(HeaderMap::new())?;
        }
    }
    Ok(())
}
