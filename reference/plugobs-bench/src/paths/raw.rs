//! As fast as records of this form can be: encoded one after the other into a
//! socket, decoded one after the other out of it.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use plugobs_proto::pact::v2::LogMessage;
use prost::Message;

use super::Measured;
use crate::record::{self, TEST};
use crate::usage::{Usage, cpu_ns};

/// Bytes that are written, or read, at once.
const BUFFER: usize = 64 * 1024;

/// The host: takes all records, then the sender's usage.
pub(super) fn measure(records: u64) -> Result<Measured> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut sender = Command::new(std::env::current_exe()?)
        .args(["plugin", "raw"])
        .env("BENCH_PORT", listener.local_addr()?.port().to_string())
        .env("BENCH_RECORDS", records.to_string())
        .stdin(Stdio::null())
        .spawn()?;
    let (mut stream, _) = listener.accept()?;
    let (begun, before) = (Instant::now(), cpu_ns());
    stream.write_all(b"\n")?;
    let mut reader = BufReader::with_capacity(BUFFER, stream);
    let mut message = Vec::new();
    let mut bytes = 0;
    for _ in 0..records {
        let length = read_varint(&mut reader)?;
        message.resize(length, 0);
        reader.read_exact(&mut message)?;
        bytes += LogMessage::decode(message.as_slice())?.message.len();
    }
    let ended = Instant::now();
    let host = Usage::since(before)?;
    ensure!(
        bytes as u64 == records * record::text(0).len() as u64,
        "{bytes} bytes"
    );
    let mut usage = String::new();
    reader.read_line(&mut usage)?;
    ensure!(sender.wait()?.success(), "the sender failed");
    Ok(Measured {
        records,
        elapsed_ns: u64::try_from((ended - begun).as_nanos())?,
        host,
        plugin: serde_json::from_str(&usage)?,
    })
}

fn read_varint(reader: &mut impl BufRead) -> Result<usize> {
    let mut value = 0;
    for shift in (0..).step_by(7).take(10) {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        value |= usize::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            break;
        }
    }
    Ok(value)
}

/// The sender.
pub fn send() -> Result<()> {
    let number = |name: &str| -> Result<u64> {
        Ok(std::env::var(name)
            .with_context(|| name.to_owned())?
            .parse()?)
    };
    let (port, records) = (number("BENCH_PORT")?, number("BENCH_RECORDS")?);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, u16::try_from(port)?))?;
    stream.set_nodelay(true)?;
    stream.read_exact(&mut [0])?;
    let before = cpu_ns();
    let mut writer = BufWriter::with_capacity(BUFFER, &stream);
    let mut bytes = Vec::new();
    for n in 0..records {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let message = record::deployed(TEST, n, i64::try_from(now.as_millis())?);
        bytes.clear();
        message.encode_length_delimited(&mut bytes)?;
        writer.write_all(&bytes)?;
    }
    writer.flush()?;
    let usage = serde_json::to_string(&Usage::since(before)?)?;
    writeln!(writer, "{usage}")?;
    writer.flush()?;
    Ok(())
}
