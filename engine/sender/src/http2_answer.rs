//! An answer of HTTP/2 while it comes in: its head and its body go to the same reader as those of HTTP/1.1.

use std::future::Future;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use h2::client::ResponseFuture;
use h2::{Reason, RecvStream};
use http::HeaderMap;
use httparse::Header;

use crate::codec::{AnswerReader, Expectations, Fault, INFORMATIONAL_LIMIT};
use crate::exchange::{is_of_tls, Reading};

/// The answer to one request.
#[derive(Debug)]
pub struct Incoming {
    head: Option<ResponseFuture>,
    body: Option<RecvStream>,
    informational: u32,
    /// Its headers, once they are there.
    pub headers: HeaderMap,
}

impl Incoming {
    /// The answer that this future brings.
    #[must_use]
    pub fn new(head: ResponseFuture) -> Self {
        Self { head: Some(head), body: None, informational: 0, headers: HeaderMap::new() }
    }

    /// Whether anything of it has come.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.informational > 0 || self.head.is_none()
    }

    /// Take what has come of it; ready when it has ended, one way or the other, pending also when others should have
    /// their turn (then the waker has been called).
    pub fn poll(&mut self, cx: &mut Context<'_>, reader: &mut AnswerReader, expected: &Expectations) -> Poll<Reading> {
        if self.head.is_some() {
            if let Err(reading) = ready!(self.poll_head(cx, reader, expected)) {
                return Poll::Ready(reading);
            }
        }
        let Some(body) = self.body.as_mut() else { return Poll::Ready(Reading::Closed { answer_begun: true }) };
        // As many pieces as the connection's driver had room for, at most: it reads no more while this runs.
        while let Some(piece) = ready!(body.poll_data(cx)) {
            match piece {
                Ok(piece) => {
                    if let Err(fault) = reader.take_body(&piece, expected) {
                        return Poll::Ready(Reading::Wrong(fault));
                    }
                    // A window that cannot be given back is one of a connection that has ended.
                    let _ = body.flow_control().release_capacity(piece.len());
                }
                Err(error) => return Poll::Ready(ended(&error, true)),
            }
        }
        Poll::Ready(Reading::Whole(reader.end(expected)))
    }

    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut AnswerReader,
        expected: &Expectations,
    ) -> Poll<Result<(), Reading>> {
        let Some(head) = self.head.as_mut() else { return Poll::Ready(Ok(())) };
        while let Poll::Ready(Some(Ok(_))) = head.poll_informational(cx) {
            self.informational += 1;
            if self.informational > INFORMATIONAL_LIMIT {
                return Poll::Ready(Err(Reading::Wrong(Fault::Malformed)));
            }
        }
        let answer = match ready!(Pin::new(head).poll(cx)) {
            Ok(answer) => answer,
            Err(error) => return Poll::Ready(Err(ended(&error, self.informational > 0))),
        };
        self.head = None;
        let (parts, body) = answer.into_parts();
        (self.headers, self.body) = (parts.headers, Some(body));
        let headers: Vec<Header<'_>> =
            self.headers.iter().map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() }).collect();
        Poll::Ready(reader.take_head(parts.status.as_u16(), &headers, expected).map_err(Reading::Wrong))
    }
}

/// What the end of a stream or of its connection means for the request on it.
#[must_use]
pub fn ended(error: &h2::Error, answer_begun: bool) -> Reading {
    if error.is_remote() && error.is_go_away() && !answer_begun {
        // RFC 9113, 6.8: what ends this way had a higher number than the last one the server has looked at.
        Reading::Unread
    } else if error.is_remote() && error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM) {
        Reading::Refused
    } else if error.get_io().is_some_and(is_of_tls) {
        Reading::Insecure
    } else if error.is_library() {
        // Heads, and floods of frames, beyond what the library takes are ended by it in one of these two ways.
        let too_large = matches!(error.reason(), Some(Reason::ENHANCE_YOUR_CALM | Reason::REFUSED_STREAM));
        Reading::Wrong(if too_large { Fault::TooLarge } else { Fault::Malformed })
    } else {
        // A stream that was reset by name is not one that was lost with its connection, so it is not repeated.
        Reading::Closed { answer_begun: answer_begun || !error.is_io() }
    }
}
