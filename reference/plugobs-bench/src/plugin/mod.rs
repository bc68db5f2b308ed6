//! The plugins that are measured, in processes of their own.

mod deployed;
mod sdk;
mod service;

use std::io::Write;
use std::net::Ipv4Addr;

use anyhow::Result;
use plugobs_core::handshake::Handshake;
use tokio::net::TcpListener;

/// A listener, after its handshake line.
async fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let handshake = Handshake {
        port: listener.local_addr()?.port(),
        server_key: "bench".to_owned(),
    };
    writeln!(std::io::stdout(), "{}", handshake.to_line())?;
    Ok(listener)
}

/// Serves as the plugin of that path.
pub fn run(path: crate::paths::Path) -> Result<()> {
    use crate::paths::Path;

    match path {
        Path::Deployed => deployed::run(),
        Path::Unary => sdk::run_unary(),
        Path::Stream | Path::Everything => sdk::run(),
        Path::Raw => crate::paths::raw::send(),
        Path::Component | Path::ComponentCall | Path::ComponentEverything => {
            anyhow::bail!("a component is no process of its own")
        }
    }
}
