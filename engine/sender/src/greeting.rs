//! The first connection, before the load: whether server and client accept each other's certificates.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

/// How long a server is given to object to the client's certificate: with TLS 1.3 it does so after the handshake.
const TO_OBJECT: Duration = Duration::from_millis(100);

/// Shake hands by TLS.
pub fn in_tls(stream: io::Result<StreamOwned<ClientConnection, TcpStream>>, timeout: Duration) -> io::Result<()> {
    let mut stream = stream?;
    stream.sock.set_read_timeout(Some(timeout))?;
    stream.sock.set_write_timeout(Some(timeout))?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    stream.sock.set_read_timeout(Some(TO_OBJECT))?;
    match stream.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(error),
        // Silence or an end: no objection.
        _ => {
            stream.conn.send_close_notify();
            let _ = stream.conn.complete_io(&mut stream.sock);
            Ok(())
        }
    }
}
