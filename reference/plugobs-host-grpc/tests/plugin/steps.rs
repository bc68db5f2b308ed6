//! What the plugin does before it serves, and how it begins to.

use std::io::{Error, Result, Write, stderr, stdout};
use std::net::Ipv4Addr;
use std::time::Duration;

use plugobs_core::handshake::Handshake;
use plugobs_core::stderr_line::to_stderr_line;
use plugobs_core::{Record, Severity, Timestamp};
use plugobs_proto::pact::v1::pact_plugin_server::PactPluginServer as V1;
use plugobs_proto::pact::v2::pact_plugin_server::PactPluginServer as V2;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// A key with a space and other characters that are not a token's.
pub(crate) const SERVER_KEY: &str = "key: of \"this\" plugin";

const MOST_BYTES: usize = 64 * 1024 * 1024;

pub(crate) async fn take(step: &str) -> Result<()> {
    let (what, with) = step.split_once(':').unwrap_or((step, ""));
    match what {
        "say" => writeln!(stdout(), "{with}"),
        "say-hex" => stdout()
            .write_all(&unhex(with))
            .and_then(|()| stdout().flush()),
        "err" => writeln!(stderr(), "{with}"),
        "err-hex" => stderr().write_all(&unhex(with)),
        "err-mib" => long_line(with.parse().map_err(Error::other)?),
        "err-record" => {
            let (sequence, text) = with.split_once(':').unwrap_or(("1", with));
            writeln!(stderr(), "{}", record_line(sequence, text)?)
        }
        "say-record" => {
            let (sequence, text) = with.split_once(':').unwrap_or(("1", with));
            writeln!(stdout(), "{}", record_line(sequence, text)?)
        }
        "serve" => serve(2, Manner::Proper).await,
        "serve-v1" => serve(1, Manner::Proper).await,
        "serve-late" => serve(2, Manner::Late).await,
        "hang" => std::future::pending().await,
        "exit" => std::process::exit(with.parse().map_err(Error::other)?),
        other => Err(Error::other(format!("no step {other:?}"))),
    }
}

/// How the handshake is printed.
#[derive(PartialEq)]
enum Manner {
    /// Once it listens.
    Proper,
    /// Well before it listens.
    Late,
}

async fn serve(interface: u32, manner: Manner) -> Result<()> {
    let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let handshake = Handshake {
        port: address.port(),
        server_key: SERVER_KEY.to_owned(),
    };
    if manner == Manner::Late {
        drop(listener);
        writeln!(stdout(), "{}", handshake.to_line())?;
        tokio::time::sleep(Duration::from_millis(150)).await;
        listener = TcpListener::bind(address).await?;
    } else {
        writeln!(stdout(), "{}", handshake.to_line())?;
    }
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut server = Server::builder();
    let router = match interface {
        1 => server.add_service(V1::new(crate::v1::Plugin)),
        _ => server.add_service(
            V2::new(crate::v2::Plugin::default())
                .max_decoding_message_size(MOST_BYTES)
                .max_encoding_message_size(MOST_BYTES),
        ),
    };
    router
        .serve_with_incoming(incoming)
        .await
        .map_err(Error::other)
}

/// One line without an end.
fn long_line(mib: usize) -> Result<()> {
    let chunk = vec![b'x'; 1024 * 1024];
    for _ in 0..mib {
        stderr().write_all(&chunk)?;
    }
    Ok(())
}

pub(crate) fn record_line(sequence: &str, text: &str) -> Result<String> {
    let at = Timestamp::from_unix_nanos(1_700_000_000_000_000_000);
    let mut record = Record::new(at, Severity::WARN, "test.plugin", text);
    let instance = std::env::var("PACT_PLUGIN_INSTANCE_ID").ok();
    record.plugin_instance_id = instance.map(Into::into);
    record.epoch = Some(9);
    record.sequence = Some(sequence.parse().map_err(Error::other)?);
    Ok(to_stderr_line(&record))
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("two digits are a byte"))
        .collect()
}
