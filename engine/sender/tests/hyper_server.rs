//! What hyper's server sends, whatever the pieces it comes in, is what the reader understands: on one kept connection.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::OnceLock;

use bytes::Bytes;
use golive_sender::{Answer, AnswerReader, Expectations};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;

type Body = BoxBody<Bytes, Infallible>;

/// `/STATUS/SIZE/PIECES`: that status, a body of that size, in so many chunks (0: with its length).
async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let asked: Vec<usize> = request.uri().path().split('/').skip(1).filter_map(|part| part.parse().ok()).collect();
    let [status, size, pieces] = asked[..] else { panic!("{}", request.uri()) };
    let body: Body = if let Some(each) = size.checked_div(pieces) {
        let sizes = (0..pieces).map(move |index| if index == 0 { size - each * (pieces - 1) } else { each });
        let frames = sizes.filter(|len| *len > 0).map(|len| Ok(Frame::data(Bytes::from(vec![b'x'; len]))));
        BodyExt::boxed(StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>())))
    } else {
        Full::new(Bytes::from(vec![b'x'; size])).boxed()
    };
    Ok(Response::builder().status(status as u16).body(body).expect("a response"))
}

/// The address of one hyper server for all cases.
fn server() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        listener.set_nonblocking(true).expect("non-blocking");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                while let Ok((stream, _)) = listener.accept().await {
                    let serving = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(answer));
                    tokio::task::spawn_local(serving);
                }
            });
        });
        address
    })
}

fn exchange(stream: &mut TcpStream, method: &str, path: &str, at_once: usize) -> (Answer, usize) {
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: here\r\n\r\n").expect("written");
    let (mut reader, mut buffer) = (AnswerReader::new(method == "HEAD"), Vec::new());
    let mut chunk = vec![0u8; at_once];
    loop {
        let count = stream.read(&mut chunk).expect("read");
        assert!(count > 0, "hyper closed the connection");
        buffer.extend_from_slice(&chunk[..count]);
        if let Some(answer) = reader.feed(&mut buffer, &Expectations::default()).expect("well formed") {
            return (answer, buffer.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_answer_of_hypers_is_read_to_its_end(
        asked in prop::collection::vec(
            (prop_oneof![Just(200u16), Just(202), Just(404), Just(503), Just(204), Just(304)], 0usize..40_000, 0usize..9, any::<bool>()),
            1..6,
        ),
        at_once in 1usize..9000,
    ) {
        let mut stream = TcpStream::connect(server()).expect("a connection");
        for (status, size, pieces, head) in asked {
            let bodiless = head || status == 204 || status == 304;
            let size = if status == 204 || status == 304 { 0 } else { size };
            let path = format!("/{status}/{size}/{pieces}");
            let (answer, left) = exchange(&mut stream, if head { "HEAD" } else { "GET" }, &path, at_once);
            prop_assert_eq!(answer.status, status);
            prop_assert_eq!(answer.body_len, if bodiless { 0 } else { size as u64 });
            prop_assert!(answer.keep_alive);
            prop_assert_eq!(left, 0);
        }
    }
}
