//! The first connection, before the load: whether server and client accept each other's certificates.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

/// How long a server is given at least to object to the client's certificate: with TLS 1.3 it does so after the
/// handshake. One that is far away has twice the time that the handshake took.
const TO_OBJECT: Duration = Duration::from_millis(100);

const UNWELCOME: &str = "the server ended the connection right after it, as one does that does not take the client's \
                          certificate";

/// Shake hands by TLS.
pub fn in_tls(stream: io::Result<StreamOwned<ClientConnection, TcpStream>>, timeout: Duration) -> io::Result<()> {
    let mut stream = stream?;
    stream.sock.set_read_timeout(Some(timeout))?;
    stream.sock.set_write_timeout(Some(timeout))?;
    let began = Instant::now();
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    stream.sock.set_read_timeout(Some(TO_OBJECT.max(began.elapsed() * 2)))?;
    match stream.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
        // Silence: no objection.
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
        // Not every server gives its reason by an alert.
        Err(_) | Ok(0) => return Err(io::Error::other(UNWELCOME)),
        Ok(_) => {}
    }
    stream.conn.send_close_notify();
    let _ = stream.conn.complete_io(&mut stream.sock);
    Ok(())
}
