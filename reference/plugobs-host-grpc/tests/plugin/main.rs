//! A plugin of many manners, good and bad: what the tests of this crate start.
//!
//! Its arguments are steps, taken in order; the last is mostly `serve` or
//! `serve-v1`. Once it serves, `ConfigureInteraction` is a command line: the
//! content type is the command, the configuration its arguments, and the
//! contents of the answer are JSON.

mod commands;
mod steps;
mod streams;
mod v1;
mod v2;

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        for step in std::env::args().skip(1) {
            steps::take(&step).await?;
        }
        Ok(())
    })
}
