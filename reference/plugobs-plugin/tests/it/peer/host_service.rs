//! The deployed host, as the test's driver serves it.

use std::sync::Arc;

use plugobs_proto::pact::v2 as pact;
use plugobs_proto::pact::v2::plugin_host_server::PluginHost;
use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tonic::{Request, Response, Status};

use super::Shared;
use super::seen::{HostCall, Logged};

pub(super) struct Service(pub(super) Arc<Shared>);

fn pairs(map: &MetadataMap) -> Vec<(String, String)> {
    map.iter()
        .filter_map(|pair| match pair {
            KeyAndValueRef::Ascii(key, value) => {
                Some((key.to_string(), value.to_str().ok()?.to_owned()))
            }
            KeyAndValueRef::Binary(..) => None,
        })
        .collect()
}

#[tonic::async_trait]
impl PluginHost for Service {
    async fn log(&self, request: Request<pact::LogMessage>) -> Result<Response<()>, Status> {
        let ways = self.0.ways();
        if let Some(code) = ways.refuse_log {
            return Err(Status::new(code, "as told"));
        }
        let metadata = pairs(request.metadata());
        let message = request.into_inner();
        self.0.note(|seen| {
            seen.logged.push(Logged { message, metadata });
        });
        if ways.hang_log {
            std::future::pending::<()>().await;
        }
        Ok(Response::new(()))
    }

    async fn compare_contents(
        &self,
        request: Request<pact::HostCompareContentsRequest>,
    ) -> Result<Response<pact::CompareContentsResponse>, Status> {
        let metadata = pairs(request.metadata());
        self.0.note(|seen| seen.host_calls.push(HostCall(metadata)));
        Ok(Response::new(pact::CompareContentsResponse::default()))
    }

    async fn generate_content(
        &self,
        _: Request<pact::HostGenerateContentRequest>,
    ) -> Result<Response<pact::GenerateContentResponse>, Status> {
        Err(Status::unimplemented("no test calls it"))
    }

    async fn match_field(
        &self,
        _: Request<pact::HostMatchFieldRequest>,
    ) -> Result<Response<pact::MatchFieldResponse>, Status> {
        Err(Status::unimplemented("no test calls it"))
    }

    async fn generate_field(
        &self,
        _: Request<pact::HostGenerateFieldRequest>,
    ) -> Result<Response<pact::GenerateFieldResponse>, Status> {
        Err(Status::unimplemented("no test calls it"))
    }
}
