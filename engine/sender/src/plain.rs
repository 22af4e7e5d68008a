//! A plain TCP stream, read and written by the system call itself: the C library's wrappers make every call a
//! cancellation point, which costs a request two percent of its CPU and serves nobody here.

use std::io;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use rustix::net::{RecvFlags, SendFlags};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

/// A connected stream.
#[derive(Debug)]
pub struct PlainStream(pub TcpStream);

impl PlainStream {
    /// Whether the other side has said something, or has ended: as far as the kernel told when it was last asked for
    /// news, so that nobody pays a system call for it.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let looked = self.0.try_io(Interest::READABLE, || {
            rustix::net::recv(&self.0, &mut [0u8], RecvFlags::PEEK).map_err(io::Error::from)
        });
        !matches!(looked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

impl AsyncRead for PlainStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = &self.get_mut().0;
        loop {
            ready!(stream.poll_read_ready(cx))?;
            let room = buf.initialize_unfilled();
            let asked = room.len();
            let read = stream.try_io(Interest::READABLE, || {
                rustix::net::recv(stream, room, RecvFlags::empty()).map_err(io::Error::from)
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok((count, _)) => {
                    if 0 < count && count < asked {
                        // All there was: say so, that nobody asks in vain before the kernel calls again.
                        let _ = stream.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
                    }
                    buf.advance(count);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for PlainStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let stream = &self.get_mut().0;
        loop {
            ready!(stream.poll_write_ready(cx))?;
            let written = stream.try_io(Interest::WRITABLE, || {
                rustix::net::send(stream, bytes, SendFlags::NOSIGNAL).map_err(io::Error::from)
            });
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }
}
