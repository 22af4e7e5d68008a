//! The same answers over HTTP/2 with prior knowledge: one thread, and as many streams as a client opens.

use std::cell::{Cell, RefCell};
use std::io::{stdin, Read};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{spawn_local, LocalSet};

use crate::server::BODY;
use crate::tally::Tally;

const STREAMS_AT_MOST: u32 = 1000;

/// What all connections saw.
#[derive(Debug)]
struct Seen {
    first: Cell<Option<Instant>>,
    tally: RefCell<Tally>,
}

/// Listen on a free loopback port, say which, serve until standard input ends, then say what was seen.
pub fn run(rate_rps: f64) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, serve(rate_rps))
}

async fn serve(rate_rps: f64) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("port {}", listener.local_addr()?.port());
    let seen = Rc::new(Seen { first: Cell::default(), tally: RefCell::new(Tally::new(rate_rps)) });
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    spawn_local(accept(listener, Rc::clone(&seen)));
    let _ = end.await;
    println!("{}", seen.tally.take().told());
    Ok(())
}

async fn accept(listener: TcpListener, seen: Rc<Seen>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        spawn_local(converse(stream, Rc::clone(&seen)));
    }
}

async fn converse(stream: TcpStream, seen: Rc<Seen>) {
    let mut builder = h2::server::Builder::new();
    let Ok(mut connection) = builder.max_concurrent_streams(STREAMS_AT_MOST).handshake(stream).await else { return };
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let asked = Instant::now();
        let first = seen.first.get().unwrap_or_else(|| {
            println!("first request");
            asked
        });
        seen.first.set(Some(first));
        let answer = Response::builder()
            .header("content-type", "application/json")
            .header("content-length", BODY.len())
            .body(());
        let Ok(mut body) = respond.send_response(answer.expect("these headers are lawful"), false) else { continue };
        if body.send_data(Bytes::from_static(BODY), true).is_ok() {
            let since_first = asked.saturating_duration_since(first);
            seen.tally.borrow_mut().note(since_first.as_micros() as i64, asked.elapsed().as_micros() as i64);
        }
    }
}
