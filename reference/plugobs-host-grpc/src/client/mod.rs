//! Calls to a plugin, in the version of the interface that it speaks.

mod connect;
mod v1;
mod v2;
mod wire;

use plugobs_core::{InstanceId, LogPosition};
use plugobs_driver::interface::Response;
use plugobs_driver::transport::{CallError, OutgoingCall, Reply};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;

pub(crate) use connect::connect;

use self::wire::Wire;
pub(crate) use self::wire::code_name;

/// A connection to one plugin.
pub(crate) struct Client {
    wire: Wire,
    version: u32,
    instance_id: InstanceId,
}

/// A message that answered, and how far the plugin's log had come.
struct Answer<A> {
    result: Result<A, CallError>,
    position: Option<LogPosition>,
}

impl<A> Answer<A> {
    fn into_reply(self, convert: impl FnOnce(A) -> Response) -> Reply {
        Reply {
            result: self.result.map(convert),
            position: self.position,
        }
    }
}

impl Client {
    /// `None` where the key cannot be sent as metadata.
    pub(crate) fn new(
        channel: Channel,
        version: u32,
        server_key: &str,
        instance_id: &InstanceId,
    ) -> Option<Self> {
        let mut authorization = AsciiMetadataValue::try_from(server_key.as_bytes()).ok()?;
        authorization.set_sensitive(true);
        Some(Self {
            wire: Wire::new(channel, authorization),
            version,
            instance_id: instance_id.clone(),
        })
    }

    /// Makes the call; how long it may take is the caller's concern.
    pub(crate) async fn call(&self, call: OutgoingCall) -> Reply {
        match self.version {
            1 => v1::call(&self.wire, call).await,
            _ => v2::call(&self.wire, call, &self.instance_id).await,
        }
    }
}
