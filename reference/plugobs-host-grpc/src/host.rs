//! The transport for plugins that are processes: from a manifest to an instance
//! that takes calls.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use plugobs_core::registry::{FailureCode, attribute, event};
use plugobs_driver::manifest::Manifest;
use plugobs_driver::transport::{Connection, Launch, Transport, TransportFailure};

use crate::client::{self, Client};
use crate::connection::GrpcConnection;
use crate::environment::{self, Offer};
use crate::handshake;
use crate::process::{self, Started};
use crate::server::Server;
use crate::supervise::Instance;

/// Runs plugins whose `executableType` is `exec`: each as a process of its own,
/// with a port of its own on loopback for its logs and callbacks.
///
/// Everything that a process starts dies with it on Unix, because it leads a
/// process group.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct GrpcHost {}

impl GrpcHost {
    /// The host, with the limits of the specification.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Transport for GrpcHost {
    fn executable_types(&self) -> &[&str] {
        &["exec"]
    }

    async fn launch(&self, launch: Launch) -> Result<Arc<dyn Connection>, TransportFailure> {
        let Launch {
            intake, manifest, ..
        } = &launch;
        // Its services answer before the process is there (OBS-NEG-04).
        let server = Server::start(intake.clone(), launch.callbacks.clone(), launch.level)
            .await
            .map_err(|error| cannot_start(format!("cannot listen on 127.0.0.1: {error}")))?;
        let program = program_of(manifest);
        let started = spawn(&launch, &program, server.endpoint())?;
        let pid = started.process.id();
        let executable = program.display().to_string();
        intake.describe(|info| {
            info.pid = Some(pid);
            info.executable = Some(executable.clone());
        });
        intake.lifecycle(
            event::INSTANCE_SPAWNED,
            &format!("process {pid} started"),
            vec![
                (attribute::PROCESS_PID, u64::from(pid).into()),
                (attribute::PROCESS_EXECUTABLE, executable.into()),
            ],
        );
        let (instance, found) = Instance::watch_over(started, intake.clone(), Arc::new(server))
            .map_err(|error| cannot_start(format!("cannot read the output: {error}")))?;
        let found = handshake::wait(&instance, intake, found, launch.handshake_timeout).await?;
        let handshake = found.handshake;
        let channel = match client::connect(handshake.port, instance.exit()).await {
            Ok(channel) => channel,
            Err(error) => return Err(give_up(&instance, error.to_string()).await),
        };
        let Some(client) = Client::new(
            channel,
            manifest.interface_version,
            &handshake.server_key,
            intake.instance_id(),
        ) else {
            let message = "the serverKey of the handshake holds characters that cannot be sent";
            return Err(give_up(&instance, message.to_owned()).await);
        };
        Ok(Arc::new(GrpcConnection::new(
            instance,
            client,
            intake.clone(),
        )))
    }
}

/// Relative to the plugin's folder, or absolute.
fn program_of(manifest: &Manifest) -> PathBuf {
    manifest.folder.join(Path::new(&manifest.entry_point))
}

fn spawn(launch: &Launch, program: &Path, endpoint: &str) -> Result<Started, TransportFailure> {
    let Launch {
        intake, manifest, ..
    } = launch;
    let offer = Offer {
        endpoint,
        instance_id: intake.instance_id().as_str(),
        token: intake.token(),
        level: launch.level,
    };
    let is_inherited = |name: &str| env::var_os(name).is_some();
    let mut command = Command::new(program);
    command
        .args(&manifest.args)
        .current_dir(&manifest.folder)
        .envs(environment::variables(
            is_inherited,
            &launch.environment,
            &offer,
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    process::start(&mut command).map_err(|error| {
        let (program, folder) = (program.display(), manifest.folder.display());
        cannot_start(format!("cannot start {program} in {folder}: {error}"))
    })
}

fn cannot_start(message: String) -> TransportFailure {
    TransportFailure {
        code: FailureCode::CannotStart,
        message,
        exit: None,
    }
}

/// A plugin that cannot be called is of no use to anybody.
async fn give_up(instance: &Instance, message: String) -> TransportFailure {
    let ended = *instance.exit().borrow();
    let exit = match ended {
        Some(exit) => Some(exit),
        None => instance.kill("cannot connect").await,
    };
    TransportFailure {
        code: FailureCode::ConnectFailed,
        message,
        exit,
    }
}
