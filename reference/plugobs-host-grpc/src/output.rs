//! Reading what a plugin writes on standard error and standard output: bytes,
//! to the end, whatever they are (`spec/channels.md`, Raw output).

mod lines;
mod stderr;
mod stdout;

use std::io::ErrorKind;

use bytes::Bytes;
use futures_util::FutureExt;
use plugobs_core::stderr_line::{PREFIX, parse_stderr_line};
use plugobs_driver::intake::{InstanceIntake, Path, Received};
use plugobs_driver::sink::OutputStream;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;

pub(crate) use stderr::Stderr;
pub(crate) use stdout::{Found, Stdout};

use self::lines::Line;

/// Bytes read at a time: what a pipe holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks read after a pipe was given up: more than a pipe holds.
const LAST_CHUNKS: usize = 16;

/// What is made of the bytes of one stream.
pub(crate) trait Consumer: Send {
    /// Takes what was read.
    fn chunk(&mut self, bytes: &[u8]);

    /// Nothing more comes.
    fn end(&mut self);
}

/// Reads a pipe to its end, or until it is given up: children that a plugin
/// left behind can hold it open for ever.
pub(crate) async fn read(
    mut pipe: impl AsyncRead + Unpin,
    mut consumer: impl Consumer,
    intake: InstanceIntake,
    mut given_up: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let next = async {
            intake.output_room().await;
            pipe.read(&mut buffer).await
        };
        let read = tokio::select! {
            // Before reading, or a pipe that always has something is never
            // given up.
            biased;
            _ = given_up.wait_for(|given_up| *given_up) => {
                read_what_is_there(&mut pipe, &mut buffer, &mut consumer);
                break;
            }
            read = next => read,
        };
        match read {
            Ok(0) => break,
            Ok(n) => consumer.chunk(&buffer[..n]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    consumer.end();
}

/// The last words of a process may still be in the pipe where its sinks were
/// slow. A pipe that always has more is not read for ever.
fn read_what_is_there(
    pipe: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
    consumer: &mut impl Consumer,
) {
    for _ in 0..LAST_CHUNKS {
        match pipe.read(buffer).now_or_never() {
            Some(Ok(n @ 1..)) => consumer.chunk(&buffer[..n]),
            _ => return,
        }
    }
}

/// Where the raw bytes, the lines and the records of one stream go.
struct Outlet {
    intake: InstanceIntake,
    stream: OutputStream,
    source: &'static str,
    records: Vec<Received>,
}

impl Outlet {
    fn raw(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            // A copy of its own length: a small read must not hold a whole
            // buffer for as long as a sink waits.
            let bytes = Bytes::copy_from_slice(bytes);
            self.intake.output(self.stream, bytes);
        }
    }

    /// A whole line: a record, or text for failure reports. A line that begins
    /// like a record and is none stays raw output (OBS-CHAN-33).
    fn line(&mut self, line: Line<'_>) {
        let begins_like_one = line.is_whole && line.bytes.starts_with(PREFIX.as_bytes());
        let record = begins_like_one
            .then(|| std::str::from_utf8(line.bytes).ok())
            .flatten()
            .and_then(|text| parse_stderr_line(text).ok());
        match record {
            Some(record) => self.records.push(Received::Record(Box::new(record))),
            None => self.intake.output_line(self.stream, line.bytes),
        }
    }

    /// Hands over the records of the lines so far. The pipe is the process's
    /// own, so they need no token.
    fn deliver(&mut self) {
        if !self.records.is_empty() {
            let path = Path {
                source: self.source,
                verified: true,
            };
            self.intake
                .receive(path, std::mem::take(&mut self.records), &[]);
        }
    }

    fn end(&mut self) {
        self.deliver();
        self.intake.output_end(self.stream);
    }
}
