//! What hyper's client makes of the same bytes, over a stream in memory.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::{spawn_local, LocalSet};

/// Status and length of the body that hyper reads from these bytes; None when it refuses them.
pub fn read(runtime: &tokio::runtime::Runtime, bytes: &[u8]) -> Option<(u16, usize)> {
    let bytes = bytes.to_vec();
    LocalSet::new().block_on(runtime, async move {
        let (mine, theirs) = tokio::io::duplex(1 << 20);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(mine)).await.ok()?;
        spawn_local(connection);
        spawn_local(answer(theirs, bytes));
        let request = hyper::Request::get("/").header("host", "here").body(Empty::new()).ok()?;
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?;
        Some((status, body.to_bytes().len()))
    })
}

async fn answer(mut stream: DuplexStream, bytes: Vec<u8>) {
    let mut request = [0u8; 1024];
    let _ = stream.read(&mut request).await;
    let _ = stream.write_all(&bytes).await;
}
