//! A plugin that does what a script tells it: what the tests of this crate
//! start and drive.
//!
//! The script rides in `ConfigureInteraction`, as `contentsConfig`. Arguments
//! say how the plugin as a whole behaves; see [`Manner`].

mod script;
mod steps;
mod v1;
mod v2;

use std::error::Error;
use std::io::{Write, stdout};
use std::net::Ipv4Addr;

use plugobs_core::handshake::Handshake;
use plugobs_plugin::Diagnostics;
use plugobs_proto::pact::v1::pact_plugin_server::PactPluginServer as V1;
use plugobs_proto::pact::v2::pact_plugin_server::PactPluginServer as V2;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// What the arguments ask for.
#[derive(Debug, Default)]
struct Manner {
    /// `v1`: serve interface 1.
    v1: bool,
    /// `init=error` or `init=failure`: how `InitPlugin` fails.
    init: Option<String>,
    /// `queue=BYTES,RESERVE`: bounds of the queue.
    queue: Option<(usize, usize)>,
    /// `no-shutdown`: end without a call of `shutdown`.
    no_shutdown: bool,
    /// `just-end`: log, and end before anything is served.
    just_end: bool,
    /// `mirror`: write records of the deployed log to standard error as well.
    mirror: bool,
    /// `own-subscriber`: the plugin sets `tracing` and `log` up itself.
    own_subscriber: bool,
}

impl Manner {
    fn of_arguments() -> Result<Self, Box<dyn Error>> {
        let mut manner = Self::default();
        for argument in std::env::args().skip(1) {
            match argument.split_once('=').unwrap_or((&argument, "")) {
                ("v1", _) => manner.v1 = true,
                ("init", how) => manner.init = Some(how.to_owned()),
                ("queue", bounds) => {
                    let (queue, reserve) = bounds.split_once(',').ok_or("queue=BYTES,RESERVE")?;
                    manner.queue = Some((queue.parse()?, reserve.parse()?));
                }
                ("no-shutdown", _) => manner.no_shutdown = true,
                ("just-end", _) => manner.just_end = true,
                ("mirror", _) => manner.mirror = true,
                ("own-subscriber", _) => manner.own_subscriber = true,
                (other, _) => return Err(format!("no argument {other:?}").into()),
            }
        }
        Ok(manner)
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 4)]
async fn main() -> Result<(), Box<dyn Error>> {
    let manner = Manner::of_arguments()?;
    let mut builder = Diagnostics::builder().mirror_unary_to_stderr(manner.mirror);
    if let Some((queue, reserve)) = manner.queue {
        builder = builder.queue_bytes(queue, reserve);
    }
    let (diagnostics, _guard) = if manner.own_subscriber {
        let (diagnostics, guard) = builder.start()?;
        subscribe(&diagnostics)?;
        (diagnostics, guard)
    } else {
        builder.install()?
    };
    if manner.just_end {
        tracing::info!("the last words");
        return Ok(());
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let handshake = Handshake {
        port: listener.local_addr()?.port(),
        server_key: "a key".to_owned(),
    };
    let stop = diagnostics.shutdown_signal();
    writeln!(stdout(), "{}", handshake.to_line())?;
    let mut server = Server::builder().layer(diagnostics.server_layer());
    let router = if manner.v1 {
        server.add_service(V1::new(v1::Plugin))
    } else {
        server.add_service(V2::new(v2::Plugin { init: manner.init }))
    };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    router.serve_with_incoming_shutdown(incoming, stop).await?;
    if !manner.no_shutdown {
        diagnostics.shutdown().await;
    }
    Ok(())
}

/// As a plugin does that has a subscriber of its own, and no bridge from `log`.
fn subscribe(diagnostics: &Diagnostics) -> Result<(), Box<dyn Error>> {
    use tracing_subscriber::layer::SubscriberExt;

    let subscriber = tracing_subscriber::registry().with(diagnostics.layer());
    tracing::subscriber::set_global_default(subscriber)?;
    log::set_max_level(log::LevelFilter::Warn);
    Ok(())
}
