//! Calls back to the host: which call they are made for.

use plugobs_core::registry::metadata;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::context::Context;
use crate::diagnostics::Diagnostics;

/// An interceptor for clients of `PluginHost`: it passes on the identity of the
/// call that this plugin is serving, and shows the instance's token
/// (OBS-GRPC-15, OBS-NEG-31, OBS-SEC-04). Use it on the channel to
/// `PACT_PLUGIN_HOST` only: the token is for the driver alone.
///
/// ```no_run
/// # use tonic::transport::Channel;
/// # fn client(channel: Channel) {
/// use plugobs_proto::pact::v2::plugin_host_client::PluginHostClient;
/// let host = PluginHostClient::with_interceptor(channel, plugobs_plugin::HostCalls);
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct HostCalls;

impl Interceptor for HostCalls {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let map = request.metadata_mut();
        if let Some(context) = Context::current() {
            for (key, value) in context.metadata() {
                insert(map, key, &value);
            }
        }
        let token = Diagnostics::installed().and_then(Diagnostics::token);
        if let Some(token) = token {
            insert(map, metadata::AUTHORIZATION, &format!("Bearer {token}"));
            if let Some(value) = map.get_mut(metadata::AUTHORIZATION) {
                value.set_sensitive(true);
            }
        }
        Ok(request)
    }
}

/// What is no ASCII is no metadata, and is left out.
fn insert(map: &mut MetadataMap, key: &'static str, value: &str) {
    if let Ok(value) = value.parse() {
        map.insert(key, value);
    }
}
