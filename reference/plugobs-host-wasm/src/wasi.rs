//! WASI for components whose user wants it: standard output and standard error
//! are raw output of the instance (OBS-WASM-36). There are clocks and random
//! numbers, and no files, environment, arguments or network.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use plugobs_core::registry::limit;
use plugobs_driver::intake::InstanceIntake;
use plugobs_driver::sink::OutputStream as Stream;
use tokio::io::AsyncWrite;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::log::Speaker;

/// Bytes that a component may write at one time.
const CHUNK_BYTES: usize = 64 * 1024;

/// What WASI keeps for one instance.
pub(crate) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl Wasi {
    pub(crate) fn new(intake: &InstanceIntake) -> Self {
        let output = |stream| Output(Arc::new(Mutex::new(Captured::new(intake.clone(), stream))));
        let context = WasiCtx::builder()
            .stdout(output(Stream::Stdout))
            .stderr(output(Stream::Stderr))
            .build();
        Self {
            context,
            table: ResourceTable::new(),
        }
    }
}

impl WasiView for Speaker {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi.context,
            table: &mut self.wasi.table,
        }
    }
}

/// Gives components what WASI has.
pub(crate) fn link(linker: &mut Linker<Speaker>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)
}

/// One stream of an instance.
struct Captured {
    intake: InstanceIntake,
    stream: Stream,
    /// The line that has not ended, as far as a report keeps it.
    line: Vec<u8>,
}

impl Captured {
    fn new(intake: InstanceIntake, stream: Stream) -> Self {
        Self {
            intake,
            stream,
            line: Vec::new(),
        }
    }

    fn take_in(&mut self, bytes: Bytes) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = limit::OUTPUT_LINE_BYTES_DEFAULT.saturating_sub(self.line.len());
            let text = part.strip_suffix(b"\n").unwrap_or(part);
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if text.len() < part.len() {
                self.intake.output_line(self.stream, &self.line);
                self.line.clear();
            }
        }
        self.intake.output(self.stream, bytes);
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            self.intake.output_line(self.stream, &self.line);
        }
        self.intake.output_end(self.stream);
    }
}

#[derive(Clone)]
struct Output(Arc<Mutex<Captured>>);

impl Output {
    fn take_in(&self, bytes: Bytes) {
        let mut captured = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        captured.take_in(bytes);
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take_in(bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK_BYTES)
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.take_in(Bytes::copy_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
