//! A plugin for a test: each call logs from tasks and threads of its own, and
//! from one task that goes on after the call has returned.
//!
//! Every record says in its text which call made it (`fan <token> <how>`), so
//! that whoever reads the run can tell whether the identities beside the text
//! are the right ones. Nothing here waits for time to pass: calls meet at a
//! barrier, and what outlives a call waits for a gate that another call opens.

use std::error::Error;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use plugobs_core::handshake::Handshake;
use plugobs_plugin::{Context, Diagnostics, spawn, spawn_blocking, spawn_thread, user_message};
use plugobs_proto::pact::v2;
use plugobs_proto::pact::v2::pact_plugin_server::{PactPlugin, PactPluginServer};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, watch};
use tokio::task::JoinHandle;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tracing::Instrument;

fn main() -> Result<(), Box<dyn Error>> {
    // The argument: how many calls are to be under way at the same time.
    let together = std::env::args().nth(1).ok_or("give a number of calls")?;
    let together = together.parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()?;
    runtime.block_on(serve(together))
}

async fn serve(together: usize) -> Result<(), Box<dyn Error>> {
    let (diagnostics, _guard) = Diagnostics::builder().install()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let handshake = Handshake {
        port: listener.local_addr()?.port(),
        server_key: "fan-out".to_owned(),
    };
    let mut out = std::io::stdout();
    writeln!(out, "{}", handshake.to_line())?;
    out.flush()?;
    Server::builder()
        .layer(diagnostics.server_layer())
        .add_service(PactPluginServer::new(FanOut::new(together)))
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            diagnostics.shutdown_signal(),
        )
        .await?;
    diagnostics.shutdown().await;
    Ok(())
}

struct FanOut {
    /// Lets no call go on before all of its round are there.
    barrier: Arc<Barrier>,
    gate: watch::Sender<bool>,
    outliving: Mutex<Vec<JoinHandle<()>>>,
}

impl FanOut {
    fn new(together: usize) -> Self {
        Self {
            barrier: Arc::new(Barrier::new(together)),
            gate: watch::Sender::new(false),
            outliving: Mutex::default(),
        }
    }

    /// Eleven records, one of them after the answer.
    async fn fan_out(&self, token: String) {
        let say = |how: &'static str| {
            let token = token.clone();
            move || tracing::info!("fan {token} {how}")
        };
        say("handler")();
        log::info!("fan {token} log");
        self.barrier.wait().await;
        say("after")();
        user_message!("fan {token} user");

        let task = spawn(work(say("task")));
        let blocking = spawn_blocking(say("blocking"));
        let thread = {
            let (first, second) = (say("thread"), say("thread-in-thread"));
            spawn_thread(move || {
                first();
                // A thread that this one starts, and waits for.
                let _ = spawn_thread(second).join();
            })
        };
        // A span of the call takes the identity along, also on a plain spawn.
        let span = tracing::info_span!("spanned");
        let spanned = tokio::spawn(work(say("span")).instrument(span));
        let scoped = {
            let (context, say) = (Context::current(), say("scope"));
            tokio::spawn(async move {
                if let Some(context) = context {
                    context.scope(work(say)).await;
                }
            })
        };
        let mut gate = self.gate.subscribe();
        let outliving = spawn({
            let say = say("outliving");
            async move {
                // The gate lives as long as the plugin.
                let _ = gate.wait_for(|open| *open).await;
                say();
            }
        });
        self.outliving
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(outliving);
        for done in [task, blocking, spanned, scoped] {
            // One that panicked is missed by the test that counts.
            let _ = done.await;
        }
        let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    }
}

/// Moves between the runtime's threads before it speaks.
async fn work(say: impl FnOnce()) {
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    say();
}

#[tonic::async_trait]
impl PactPlugin for FanOut {
    async fn init_plugin(
        &self,
        _request: Request<v2::InitPluginRequest>,
    ) -> Result<Response<v2::InitPluginResponse>, Status> {
        let success = v2::InitPluginSuccess {
            catalogue: Vec::new(),
            plugin_capabilities: plugobs_plugin::capabilities(),
        };
        Ok(Response::new(v2::InitPluginResponse {
            response: Some(v2::init_plugin_response::Response::Success(success)),
        }))
    }

    async fn update_catalogue(
        &self,
        _request: Request<v2::Catalogue>,
    ) -> Result<Response<()>, Status> {
        Ok(Response::new(()))
    }

    async fn compare_contents(
        &self,
        request: Request<v2::CompareContentsRequest>,
    ) -> Result<Response<v2::CompareContentsResponse>, Status> {
        let body = request.into_inner().actual.and_then(|body| body.content);
        let token = String::from_utf8(body.unwrap_or_default())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        self.fan_out(token).await;
        Ok(Response::new(v2::CompareContentsResponse::default()))
    }

    /// Opens the gate, and answers when everything that waited there has spoken.
    async fn generate_content(
        &self,
        _request: Request<v2::GenerateContentRequest>,
    ) -> Result<Response<v2::GenerateContentResponse>, Status> {
        self.gate.send_replace(true);
        let outliving = std::mem::take(
            &mut *self
                .outliving
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for task in outliving {
            // One that panicked is missed by the test that counts.
            let _ = task.await;
        }
        Ok(Response::new(v2::GenerateContentResponse::default()))
    }

    async fn configure_interaction(
        &self,
        _request: Request<v2::ConfigureInteractionRequest>,
    ) -> Result<Response<v2::ConfigureInteractionResponse>, Status> {
        not_served()
    }

    async fn match_field(
        &self,
        _request: Request<v2::MatchFieldRequest>,
    ) -> Result<Response<v2::MatchFieldResponse>, Status> {
        not_served()
    }

    async fn generate_field(
        &self,
        _request: Request<v2::GenerateFieldRequest>,
    ) -> Result<Response<v2::GenerateFieldResponse>, Status> {
        not_served()
    }

    async fn start_mock_server(
        &self,
        _request: Request<v2::StartMockServerRequest>,
    ) -> Result<Response<v2::StartMockServerResponse>, Status> {
        not_served()
    }

    async fn shutdown_mock_server(
        &self,
        _request: Request<v2::MockServerRequest>,
    ) -> Result<Response<v2::MockServerResults>, Status> {
        not_served()
    }

    async fn get_mock_server_results(
        &self,
        _request: Request<v2::MockServerRequest>,
    ) -> Result<Response<v2::MockServerResults>, Status> {
        not_served()
    }

    async fn prepare_interaction_for_verification(
        &self,
        _request: Request<v2::VerificationPreparationRequest>,
    ) -> Result<Response<v2::VerificationPreparationResponse>, Status> {
        not_served()
    }

    async fn verify_interaction(
        &self,
        _request: Request<v2::VerifyInteractionRequest>,
    ) -> Result<Response<v2::VerifyInteractionResponse>, Status> {
        not_served()
    }
}

fn not_served<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("this plugin serves one test only"))
}
