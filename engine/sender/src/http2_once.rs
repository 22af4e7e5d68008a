//! HTTP/2 without a load: does the target speak it, and one request on a connection of its own.

use std::future::{poll_fn, Future};
use std::io;
use std::time::Duration;

use h2::Ping;
use tokio::task::{spawn_local, LocalSet};

use crate::codec::{AnswerReader, Expectations, Fault};
use crate::exchange::Reading;
use crate::http2_answer::Incoming;
use crate::http2_message::message;
use crate::once::Unanswered;
use crate::target::Target;
use crate::trunks::{greet, into_io, scheme};

/// Show that the target speaks HTTP/2: it answers a ping.
pub fn speak(target: &Target, timeout: Duration) -> io::Result<()> {
    let asking = async {
        let (_sender, mut connection) = greet(target.connect(0).await?, 1).await?;
        let mut pings = connection.ping_pong().ok_or(io::ErrorKind::Unsupported)?;
        let driven = spawn_local(connection);
        match pings.ping(Ping::opaque()).await {
            Ok(_) => Ok(()),
            // Why the connection ended says more than that it has.
            Err(error) => Err(driven.await.ok().and_then(Result::err).map_or_else(|| into_io(error), into_io)),
        }
    };
    run(timeout, asking)?.unwrap_or_else(|| Err(io::Error::other("no answer in time")))
}

/// Send a request and wait for its answer; its headers.
pub fn ask(
    target: &Target,
    written: &[u8],
    (reader, expected): (&mut AnswerReader, &Expectations),
    within: Duration,
) -> Result<Vec<(String, Vec<u8>)>, Unanswered> {
    let (request, body) = message(written, &scheme(target)).ok_or(Unanswered::Wrong(Fault::Malformed))?;
    let asking = async {
        let (sender, connection) = greet(target.connect(0).await?, 1).await?;
        spawn_local(async move {
            // How it ended is told by the request that was on it.
            let _ = connection.await;
        });
        let mut sender = sender.ready().await.map_err(into_io)?;
        let ends = body.is_empty();
        let (answer, mut stream) = sender.send_request(request, ends).map_err(into_io)?;
        if !ends {
            stream.send_data(body, true).map_err(into_io)?;
        }
        let mut incoming = Incoming::new(answer);
        let reading = poll_fn(|cx| incoming.poll(cx, reader, expected)).await;
        Ok::<_, io::Error>((reading, incoming.headers))
    };
    let (reading, headers) = match run(within, asking).map_err(Unanswered::Broken)? {
        None if reader.in_body() => return Err(Unanswered::Late),
        None => return Err(Unanswered::Broken(io::ErrorKind::TimedOut.into())),
        Some(asked) => asked.map_err(Unanswered::Broken)?,
    };
    match reading {
        Reading::Whole(_) => {
            Ok(headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect())
        }
        Reading::Wrong(fault) => Err(Unanswered::Wrong(fault)),
        _ => Err(Unanswered::Closed),
    }
}

/// Run something to its end, or until its time is up (None).
fn run<T>(timeout: Duration, what: impl Future<Output = T>) -> io::Result<Option<T>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let done = LocalSet::new().block_on(&runtime, async { tokio::time::timeout(timeout, what).await });
    Ok(done.ok())
}
