//! The deployed unary log: no sequence, no acknowledgement, several calls in
//! flight.

use std::time::{Duration, Instant};

use plugobs_core::Record;
use plugobs_core::registry::metadata;
use plugobs_proto::convert::decode_record;
use plugobs_proto::log_message::to_log_message;
use plugobs_proto::pact::v2::plugin_host_client::PluginHostClient;
use tokio::task::{JoinError, JoinSet};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

use super::close::{End, Turn};
use super::shedding::Shedding;
use super::stream::connect;
use super::{Ended, authorization};
use crate::emitter::{Emitter, SharedEmitter};
use crate::lines::write_text;
use crate::queue::Queue;

/// Calls in flight.
const IN_FLIGHT: usize = 64;
/// How long the first connection may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// How long to wait before the next attempt.
const CONNECT_AGAIN: Duration = Duration::from_millis(100);
/// How long one call may take.
const CALL_WAIT: Duration = Duration::from_secs(10);

/// Sends until the end, or until the host is lost. Records stay in the queue
/// until their call has succeeded, so that whoever takes over has them.
pub(crate) async fn run(emitter: &SharedEmitter, host: &str, end: &mut End) -> Ended {
    // Under a deployed driver there is no other way for what came before.
    emitter.hold();
    emitter.go_unnumbered();
    let channel = tokio::select! {
        channel = connect_soon(host) => match channel {
            Ok(channel) => channel,
            Err(why) => return Ended::Broken(why),
        },
        () = end.greeting_is_over() => return Ended::AtEnd,
    };
    let caller = Caller {
        channel,
        authorization: authorization(emitter, host),
    };
    let mut shedding = Shedding::default();
    let ended = carry(emitter, &caller, &mut shedding, end).await;
    shedding.hand_over(emitter);
    ended
}

async fn carry(
    emitter: &SharedEmitter,
    caller: &Caller,
    shedding: &mut Shedding,
    end: &mut End,
) -> Ended {
    let mut calls = JoinSet::new();
    loop {
        shedding.watch(emitter, end.has_begun());
        start_calls(emitter, caller, &mut calls);
        if calls.is_empty() && end.has_begun() {
            return Ended::AtEnd;
        }
        tokio::select! {
            () = emitter.wake.notified() => {}
            () = shedding.calm() => {}
            Some(call) = calls.join_next() => {
                if let Err(why) = ended(emitter, call) {
                    return if end.has_begun() { Ended::AtEnd } else { Ended::Broken(why) };
                }
            }
            turn = end.turn() => {
                if turn == Turn::Overdue {
                    return Ended::AtEnd;
                }
            }
        }
    }
}

/// One call's record, and what became of it.
type Call = (u64, Result<(), String>);

/// Begins a call for each record that waits, in their order.
fn start_calls(emitter: &Emitter, caller: &Caller, calls: &mut JoinSet<Call>) {
    while calls.len() < IN_FLIGHT
        && let Some((sequence, encoded)) = emitter.queue(Queue::next_single)
    {
        let Ok(record) = decode_record(&encoded) else {
            // What this process encoded decodes.
            emitter.queue(|queue| queue.settle(sequence));
            continue;
        };
        if emitter.options.mirror {
            write_text(&record);
        }
        let call = caller.clone().call(record);
        calls.spawn(async move { (sequence, call.await) });
    }
}

/// Takes the end of a call; tells why there is no host any more.
fn ended(emitter: &Emitter, call: Result<Call, JoinError>) -> Result<(), String> {
    let (sequence, result) = call.map_err(|error| error.to_string())?;
    result?;
    emitter.queue(|queue| queue.settle(sequence));
    Ok(())
}

#[derive(Clone)]
struct Caller {
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
}

impl Caller {
    async fn call(self, record: Record) -> Result<(), String> {
        let mut request = Request::new(to_log_message(&record));
        let call_id = record.call_id.and_then(|id| id.parse().ok());
        let pairs = [
            (metadata::PLUGIN_CALL_ID, call_id),
            (metadata::AUTHORIZATION, self.authorization),
        ];
        for (key, value) in pairs {
            if let Some(value) = value {
                request.metadata_mut().insert(key, value);
            }
        }
        let mut client = PluginHostClient::new(self.channel);
        match tokio::time::timeout(CALL_WAIT, client.log(request)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(status)) => Err(super::words(&status)),
            Err(_) => Err("the host did not answer a log call in time".to_owned()),
        }
    }
}

async fn connect_soon(host: &str) -> Result<Channel, String> {
    let until = Instant::now() + CONNECT_WAIT;
    loop {
        match connect(host).await {
            Ok(channel) => return Ok(channel),
            Err(why) if Instant::now() >= until => return Err(why),
            Err(_) => tokio::time::sleep(CONNECT_AGAIN).await,
        }
    }
}
