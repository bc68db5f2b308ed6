//! The beginning of a record stream: hello in, welcome out.

use plugobs_core::Limits;
use plugobs_core::registry::{attribute, event, limit};
use plugobs_core::sanitise::cut;
use plugobs_driver::intake::InstanceIntake;
use plugobs_proto::observability::v1 as proto;
use plugobs_proto::observability::v1::stream_request::Kind;
use tonic::{Status, Streaming};

/// The one version of the record stream.
pub(super) const VERSION: u32 = 1;

/// Waits for the first message, which is a valid hello.
///
/// # Errors
/// The status of OBS-STR-08 for what is wrong with it.
pub(super) async fn receive(
    inbound: &mut Streaming<proto::StreamRequest>,
    intake: &InstanceIntake,
) -> Result<proto::Hello, Box<Status>> {
    let first = inbound.message().await.map_err(Box::new)?;
    let Some(Kind::Hello(hello)) = first.and_then(|message| message.kind) else {
        return Err(refuse(Status::invalid_argument(
            "the first message of a stream is a hello",
        )));
    };
    if hello.plugin_instance_id != intake.instance_id().as_str() {
        return Err(refuse(Status::permission_denied(format!(
            "the hello names the instance {:?}, the token is that of {}; send the value of PACT_PLUGIN_INSTANCE_ID",
            cut(&hello.plugin_instance_id, 64),
            intake.instance_id(),
        ))));
    }
    if hello.epoch == 0 {
        return Err(refuse(Status::invalid_argument(
            "the epoch of the hello is 0; take a random number from 1 on",
        )));
    }
    if !hello.versions.contains(&VERSION) {
        let versions = &hello.versions[..hello.versions.len().min(16)];
        return Err(refuse(Status::failed_precondition(format!(
            "the hello names the versions {versions:?}; this driver speaks {VERSION}"
        ))));
    }
    Ok(hello)
}

fn refuse(status: Status) -> Box<Status> {
    Box::new(status)
}

/// Tells the timeline who speaks, with names cut to the limit (OBS-GRPC-35).
pub(super) fn record_opened(intake: &InstanceIntake, hello: &proto::Hello) {
    let mut attributes = vec![
        (attribute::STREAM_EPOCH, hello.epoch.into()),
        (attribute::STREAM_VERSION, VERSION.into()),
    ];
    for (key, text) in [
        (attribute::SDK_NAME, &hello.sdk_name),
        (attribute::SDK_VERSION, &hello.sdk_version),
        (attribute::SDK_LANGUAGE, &hello.sdk_language),
    ] {
        if !text.is_empty() {
            attributes.push((key, cut(text, limit::NAME_BYTES_DEFAULT).into()));
        }
    }
    intake.lifecycle(
        event::INSTANCE_STREAM_OPENED,
        "record stream opened",
        attributes,
    );
}

pub(super) fn limits(limits: &Limits) -> proto::Limits {
    // A limit beyond what the message can say is none.
    let say = |limit: usize| u32::try_from(limit).unwrap_or(u32::MAX);
    proto::Limits {
        message_bytes: say(limits.message_bytes),
        attributes: say(limits.attributes),
        attribute_key_bytes: say(limits.attribute_key_bytes),
        attribute_value_bytes: say(limits.attribute_value_bytes),
        record_bytes: say(limits.record_bytes),
        batch_bytes: say(limits.batch_bytes),
    }
}
