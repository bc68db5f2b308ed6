//! The body of a gRPC request: its first message is read ahead, and the handler
//! still gets everything.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::BodyExt;
use tonic::Status;
use tonic::body::Body;

/// The longest message that is read ahead. Of a longer one only the metadata
/// is known: whoever sent it may not even be allowed to.
const MAX_MESSAGE: usize = 64 << 20;
/// A flag and a length.
const PREFIX: usize = 5;

/// Reads the first message of a body, with its prefix; `None` where it is
/// compressed, too long or not there. The second is the whole body, as it came.
pub(crate) async fn first_message(mut body: Body) -> (Option<Bytes>, Body) {
    let mut ahead = Ahead::default();
    let mut prefix = Vec::with_capacity(PREFIX);
    let wanted = loop {
        let wanted = wanted(&prefix);
        match wanted {
            Wanted::All(length) if ahead.length < length => {}
            Wanted::Unknown => {}
            _ => break wanted,
        }
        match body.frame().await.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                let missing = PREFIX - prefix.len();
                prefix.extend_from_slice(&data[..missing.min(data.len())]);
                ahead.length += data.len();
                ahead.data.push_back(data);
            }
            Some(Ok(Err(trailers))) => {
                ahead.last = Some(Ok(trailers));
                break Wanted::Nothing;
            }
            Some(Err(status)) => {
                ahead.last = Some(Err(status));
                break Wanted::Nothing;
            }
            None => break Wanted::Nothing,
        }
    };
    let message = match wanted {
        Wanted::All(length) => Some(ahead.first(length)),
        Wanted::Unknown | Wanted::Nothing => None,
    };
    let body = Body::new(Replayed { ahead, rest: body });
    (message, body)
}

/// How much of the body the first message is, its prefix included.
enum Wanted {
    Unknown,
    All(usize),
    Nothing,
}

fn wanted(prefix: &[u8]) -> Wanted {
    let [is_compressed, length @ ..] = prefix else {
        return Wanted::Unknown;
    };
    let Ok(length) = <[u8; 4]>::try_from(length) else {
        return Wanted::Unknown;
    };
    match usize::try_from(u32::from_be_bytes(length)) {
        Ok(length) if *is_compressed == 0 && length <= MAX_MESSAGE => Wanted::All(PREFIX + length),
        _ => Wanted::Nothing,
    }
}

/// What was read.
#[derive(Default)]
struct Ahead {
    data: VecDeque<Bytes>,
    length: usize,
    /// Trailers or an error, after the data.
    last: Option<Result<Frame<Bytes>, Status>>,
}

impl Ahead {
    /// The first bytes in one piece; they are there.
    fn first(&self, length: usize) -> Bytes {
        match self.data.front() {
            // The common case copies nothing.
            Some(one) if one.len() >= length => one.slice(..length),
            _ => {
                let mut whole: Vec<u8> = self.data.iter().flatten().copied().collect();
                whole.truncate(length);
                whole.into()
            }
        }
    }
}

struct Replayed {
    ahead: Ahead,
    rest: Body,
}

impl http_body::Body for Replayed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> task::Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(data) = self.ahead.data.pop_front() {
            return task::Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(last) = self.ahead.last.take() {
            return task::Poll::Ready(Some(last));
        }
        Pin::new(&mut self.rest).poll_frame(cx)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::StreamBody;

    use super::*;

    async fn read(chunks: &[&'static [u8]]) -> (Option<Bytes>, Bytes) {
        let frames: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok::<_, Status>(Frame::data(Bytes::from_static(chunk))))
            .collect();
        let body = Body::new(StreamBody::new(tokio_stream::iter(frames)));
        let (message, body) = first_message(body).await;
        (message, body.collect().await.unwrap().to_bytes())
    }

    #[tokio::test]
    async fn a_message_is_read_however_it_is_cut() {
        let whole = b"\0\0\0\0\x03abc+more".as_slice();
        for chunks in [
            vec![whole],
            whole.chunks(1).collect(),
            whole.chunks(3).collect(),
            vec![b"", whole],
        ] {
            let (message, body) = read(&chunks).await;
            assert_eq!(message.as_deref(), Some(&whole[..8]), "{chunks:?}");
            assert_eq!(body, whole);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_passed_on() {
        for body in [
            b"".as_slice(),
            b"\0\0",
            b"\0\0\0\0\x09short",
            b"\x01\0\0\0\x03zip",
            b"\0\xff\xff\xff\xfflong",
        ] {
            assert_eq!(read(&[body]).await, (None, Bytes::from_static(body)));
        }
    }

    #[tokio::test]
    async fn an_error_stays_the_answer() {
        let frames = [
            Ok(Frame::data(Bytes::from_static(b"\0\0"))),
            Err(Status::cancelled("gone")),
        ];
        let body = Body::new(StreamBody::new(tokio_stream::iter(frames)));
        let (message, body) = first_message(body).await;
        assert_eq!(message, None);
        assert_eq!(body.collect().await.unwrap_err().message(), "gone");
    }
}
