//! Record streams, driven by hand: what a test says is what is sent.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use plugobs_core::{Record, Severity, Timestamp};
use plugobs_proto::convert::encode_record;
use plugobs_proto::observability::v1::log_service_client::LogServiceClient;
use plugobs_proto::observability::v1::stream_request::Kind as ToDriver;
use plugobs_proto::observability::v1::stream_response::Kind as FromDriver;
use plugobs_proto::observability::v1::{
    Batch, Dropped, Flushed, Hello, StreamRequest, StreamResponse,
};
use serde_json::{Value as Json, json};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Request, Status};

use crate::commands::{authorise, connect, failed, text};
use crate::steps::unhex;

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

struct Open {
    /// `None` once half-closed.
    outbound: Option<mpsc::UnboundedSender<StreamRequest>>,
    /// Everything that the driver said, and how it ended.
    heard: watch::Receiver<Vec<Json>>,
    reader: tokio::task::JoinHandle<()>,
}

static OPEN: LazyLock<Mutex<HashMap<String, Open>>> = LazyLock::new(Mutex::default);

pub(crate) async fn run(arguments: &Json) -> Result<Json, Status> {
    let name = text(arguments, "name");
    match arguments["do"].as_str().unwrap_or_default() {
        "open" => open(name, arguments).await,
        "send" => {
            let batch = batch_of(&arguments["batch"]);
            let open = OPEN.lock().await;
            send(&open, &name, ToDriver::Batch(batch))?;
            Ok(json!({}))
        }
        "flood" => flood(&name, arguments).await,
        "await" => await_heard(&name, arguments).await,
        "half-close" => {
            let mut open = OPEN.lock().await;
            let stream = open
                .get_mut(&name)
                .ok_or_else(|| failed("no such stream"))?;
            stream.outbound = None;
            Ok(json!({}))
        }
        "break" => {
            let mut open = OPEN.lock().await;
            let stream = open.remove(&name).ok_or_else(|| failed("no such stream"))?;
            stream.reader.abort();
            Ok(json!({}))
        }
        other => Err(failed(format!("nothing to do: {other:?}"))),
    }
}

fn send(open: &HashMap<String, Open>, name: &str, kind: ToDriver) -> Result<(), Status> {
    let stream = open.get(name).ok_or_else(|| failed("no such stream"))?;
    let outbound = stream
        .outbound
        .as_ref()
        .ok_or_else(|| failed("half-closed"))?;
    // The driver may have ended the stream; what it said of that is heard.
    let _ = outbound.send(StreamRequest { kind: Some(kind) });
    Ok(())
}

async fn open(name: String, arguments: &Json) -> Result<Json, Status> {
    let own = std::env::var("PACT_PLUGIN_INSTANCE_ID").map_err(failed)?;
    let number = |key: &str, or: u64| arguments[key].as_u64().unwrap_or(or);
    let versions = match arguments["versions"].as_array() {
        None => vec![1],
        Some(list) => list
            .iter()
            .filter_map(|v| u32::try_from(v.as_u64()?).ok())
            .collect(),
    };
    let (outbound, requests) = mpsc::unbounded_channel();
    let first = match arguments["first"].as_str() {
        Some("batch") => ToDriver::Batch(Batch::default()),
        _ => ToDriver::Hello(Hello {
            plugin_instance_id: arguments["instance"].as_str().unwrap_or(&own).to_owned(),
            epoch: number("epoch", 7),
            versions,
            sdk_name: "by hand".to_owned(),
            sdk_version: "0.0".to_owned(),
            sdk_language: "rust".to_owned(),
            first_sequence: number("firstSequence", 1),
            features: Vec::new(),
        }),
    };
    let _ = outbound.send(StreamRequest { kind: Some(first) });
    let mut request = Request::new(UnboundedReceiverStream::new(requests));
    authorise(request.metadata_mut(), &arguments["token"])?;
    let endpoint = std::env::var("PLUGOBS_ENDPOINT").map_err(failed)?;
    let channel = connect(&endpoint).await?;
    let mut inbound = match LogServiceClient::new(channel).stream(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => return Ok(json!([ended(&status)])),
    };
    let (said, mut heard) = watch::channel(Vec::new());
    // Weak, or the stream would never be half-closed.
    let (answers, obeys) = (outbound.downgrade(), arguments["obeys"] == true);
    let theirs = name.clone();
    let reader = tokio::spawn(async move {
        loop {
            let entry = match inbound.message().await {
                Ok(Some(StreamResponse { kind: Some(kind) })) => {
                    obey(&kind, &answers, obeys, &theirs).await;
                    heard_as(kind)
                }
                Ok(Some(_)) => continue,
                Ok(None) => json!({ "end": "Ok" }),
                Err(status) => ended(&status),
            };
            let is_end = entry.get("end").is_some();
            said.send_modify(|all| all.push(entry));
            if is_end {
                return;
            }
        }
    });
    let wait = heard.wait_for(|all: &Vec<Json>| !all.is_empty());
    let first = tokio::time::timeout(PATIENCE, wait)
        .await
        .map_err(failed)?
        .map_err(failed)?
        .clone();
    let stream = Open {
        outbound: Some(outbound),
        heard,
        reader,
    };
    OPEN.lock().await.insert(name, stream);
    Ok(Json::Array(first))
}

/// Answers a flush, always; follows a stop where told to.
async fn obey(
    kind: &FromDriver,
    outbound: &mpsc::WeakUnboundedSender<StreamRequest>,
    obeys: bool,
    name: &str,
) {
    match kind {
        FromDriver::Flush(flush) => {
            let kind = ToDriver::Flushed(Flushed {
                flush_id: flush.flush_id,
                through_sequence: *HIGHEST.lock().await.get(name).unwrap_or(&0),
            });
            if let Some(outbound) = outbound.upgrade() {
                let _ = outbound.send(StreamRequest { kind: Some(kind) });
            }
        }
        FromDriver::Stop(_) if obeys => std::process::exit(0),
        _ => {}
    }
}

static HIGHEST: LazyLock<Mutex<HashMap<String, u64>>> = LazyLock::new(Mutex::default);

fn ended(status: &Status) -> Json {
    json!({ "end": format!("{:?}", status.code()), "message": status.message() })
}

fn heard_as(kind: FromDriver) -> Json {
    match kind {
        FromDriver::Welcome(w) => json!({ "welcome": {
            "version": w.version,
            "recordBytes": w.limits.map(|l| l.record_bytes),
            "severityNumber": w.severity_number,
            "creditBytes": w.credit_bytes,
            "acknowledged": w.acknowledged_sequence,
            "runId": w.run_id,
        }}),
        FromDriver::Acknowledgement(a) => {
            json!({ "through": a.through_sequence, "credit": a.credit_bytes })
        }
        FromDriver::SetLevel(level) => json!({ "level": level.severity_number }),
        FromDriver::Flush(flush) => json!({ "flush": flush.flush_id }),
        FromDriver::Stop(stop) => json!({ "stop": stop.deadline_ms }),
    }
}

fn batch_of(json: &Json) -> Batch {
    let list = |key: &str| json[key].as_array().cloned().unwrap_or_default();
    let records = list("records");
    let sequences = match json["sequences"].as_array() {
        Some(given) => given.iter().filter_map(Json::as_u64).collect(),
        None => records
            .iter()
            .filter_map(|record| record["sequence"].as_u64())
            .collect(),
    };
    let dropped = list("dropped").into_iter().map(|range| {
        let number = |key: &str| range[key].as_u64().unwrap_or(0);
        Dropped {
            first: number("first"),
            last: number("last"),
            debug: number("debug"),
            info: number("info"),
            reason: "as it was told".to_owned(),
            ..Dropped::default()
        }
    });
    Batch {
        records: records.iter().map(encoded).collect(),
        sequences,
        dropped: dropped.collect(),
    }
}

fn encoded(json: &Json) -> Bytes {
    match json["hex"].as_str() {
        Some(hex) => Bytes::from(unhex(hex)),
        None => {
            let optional = |key: &str| json[key].as_str().map(str::to_owned);
            let mut record = plain_record(&text(json, "text"));
            record.test_run_id = optional("testRunId").map(Into::into);
            record.call_id = optional("callId").map(Into::into);
            if let Some(instance) = optional("instance") {
                record.plugin_instance_id = Some(instance.into());
            }
            Bytes::from(encode_record(&record))
        }
    }
}

fn plain_record(text: &str) -> Record {
    let at = Timestamp::from_unix_nanos(1_700_000_000_000_000_000);
    let mut record = Record::new(at, Severity::INFO, "test.stream", text);
    let instance = std::env::var("PACT_PLUGIN_INSTANCE_ID").ok();
    record.plugin_instance_id = instance.map(Into::into);
    record.epoch = Some(1);
    record.sequence = Some(1);
    record
}

/// Sends many batches without a look at the credit.
async fn flood(name: &str, arguments: &Json) -> Result<Json, Status> {
    let number = |key: &str| arguments[key].as_u64().unwrap_or(1);
    let bytes = usize::try_from(number("bytes")).map_err(failed)?;
    let record = Bytes::from(encode_record(&plain_record(&"z".repeat(bytes))));
    let mut sequence = number("from");
    for _ in 0..number("batches") {
        let count = number("records");
        let batch = Batch {
            records: (0..count).map(|_| record.clone()).collect(),
            sequences: (sequence..sequence + count).collect(),
            dropped: Vec::new(),
        };
        sequence += count;
        send(&*OPEN.lock().await, name, ToDriver::Batch(batch))?;
    }
    HIGHEST.lock().await.insert(name.to_owned(), sequence - 1);
    Ok(json!({ "last": sequence - 1, "recordBytes": record.len() }))
}

/// Waits until the driver said something with that member, of at least that
/// number where one is given.
async fn await_heard(name: &str, arguments: &Json) -> Result<Json, Status> {
    let mut heard = {
        let open = OPEN.lock().await;
        let stream = open.get(name).ok_or_else(|| failed("no such stream"))?;
        stream.heard.clone()
    };
    let member = text(arguments, "member");
    let least = arguments["least"].as_u64();
    let wanted = |all: &Vec<Json>| {
        all.iter().any(|entry| {
            entry.get(&member).is_some_and(|value| {
                least.is_none_or(|least| value.as_u64().is_some_and(|n| n >= least))
            })
        })
    };
    let waited = tokio::time::timeout(PATIENCE, heard.wait_for(wanted))
        .await
        .map(|all| all.map(|all| all.clone()));
    match waited {
        Ok(Ok(all)) => Ok(Json::Array(all)),
        _ => Err(failed(format!("only heard {:?}", *heard.borrow()))),
    }
}
