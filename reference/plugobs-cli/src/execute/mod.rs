//! Carries out a plan: starts its plugins, runs its tests, stops all of it.

mod call;
mod failures;
mod interrupt;
pub(crate) mod json;
mod plugins;
pub(crate) mod result;
mod test;

use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, join_all, select};
use futures_util::stream::{self, StreamExt};
use plugobs_core::Severity;
use plugobs_driver::sink::SinkLoss;
use plugobs_driver::{Driver, Plugin, PluginFailure, PluginSource};
use plugobs_host_grpc::GrpcHost;
use plugobs_host_wasm::WasmHost;
use plugobs_runfile::{RunFolder, RunOptions};
use tokio::time::timeout;

use crate::error::CliError;
use crate::plan::Plan;
use failures::FailureSink;
use interrupt::{Breakable, Interrupts, Starts};
use plugins::Source;
use result::{PluginResult, RunResult, TestResult};

/// How long starts that were broken off may take to say so.
const BREAK_OFF_WAIT: Duration = Duration::from_secs(1);

/// How a plan is carried out.
pub(crate) struct Settings {
    /// The folder below which the run folder is made.
    pub(crate) out: PathBuf,
    /// The least severity wanted of operational records.
    pub(crate) level: Severity,
    /// Where plugins are installed.
    pub(crate) source: PluginSource,
    /// The program that runs the plan, for plans that name it.
    pub(crate) program: Option<PathBuf>,
    /// How long a handshake may take.
    pub(crate) handshake_timeout: Option<Duration>,
    /// How long a call may take.
    pub(crate) call_timeout: Option<Duration>,
    /// Where compiled components are kept.
    pub(crate) component_cache: Option<PathBuf>,
}

/// Carries out a plan. A plugin that fails is part of the result.
///
/// # Errors
/// Where the run cannot begin (no run folder, no driver, or a plugin of the plan
/// that cannot even be named), or is broken off by a signal.
pub(crate) fn carry_out(plan: &Plan, settings: Settings) -> Result<RunResult, CliError> {
    let started = Instant::now();
    let sources = plugins::sources(plan, settings.program.as_deref())?;
    let (transport, starts) = Breakable::new(GrpcHost::new());
    let components = match &settings.component_cache {
        Some(folder) => WasmHost::new().cache(folder),
        None => WasmHost::new(),
    };
    let mut builder = Driver::builder()
        .implementation("plugobs", env!("CARGO_PKG_VERSION"))
        .plugins(settings.source)
        .level(settings.level)
        .transport(transport)
        .transport(starts.of(components));
    if let Some(session) = &plan.session {
        builder = builder.session(session);
    }
    if let Some(timeout) = settings.handshake_timeout {
        builder = builder.handshake_timeout(timeout);
    }
    if let Some(timeout) = settings.call_timeout {
        builder = builder.call_timeout(timeout);
    }
    let (failure_sink, failures) = FailureSink::new();
    let run_folder = RunFolder::create(&settings.out, builder.run_id(), RunOptions::default())?;
    let folder = run_folder.path().to_owned();
    let driver = builder.sink(run_folder).sink(failure_sink).build()?;
    let run_id = driver.run_id().to_string();
    let done = driver.wait(drive(&driver, plan, sources, &starts))?;
    let Done {
        plugins,
        tests,
        losses,
    } = done.map_err(|signal| CliError::Interrupted {
        signal,
        folder: folder.clone(),
    })?;
    let plugins = plan.plugins.iter().zip(plugins);
    Ok(RunResult {
        run_id,
        folder,
        plugins: plugins
            .map(|(planned, loaded)| PluginResult {
                id: planned.id.clone(),
                name: planned.name.clone(),
                loaded: loaded.map(|plugin| plugin.info()),
            })
            .collect(),
        failures: failures.unexpected(&tests),
        tests,
        losses,
        duration: started.elapsed(),
    })
}

/// What a run that was not broken off gives.
struct Done {
    plugins: Vec<Result<Plugin, PluginFailure>>,
    tests: Vec<TestResult>,
    losses: Vec<SinkLoss>,
}

/// Starts the plugins, runs the tests, and stops the plugins whatever happens.
/// The inner error is the signal that broke it off.
async fn drive(
    driver: &Driver,
    plan: &Plan,
    sources: Vec<Source>,
    starts: &Starts,
) -> Result<Result<Done, i32>, CliError> {
    let mut interrupts = Interrupts::listen().map_err(CliError::Signals)?;
    let mut loading = pin!(join_all(sources.into_iter().map(|s| s.load(driver))));
    let plugins = match select(&mut loading, pin!(interrupts.next())).await {
        Either::Left((plugins, _)) => plugins,
        Either::Right((signal, _)) => {
            starts.break_off();
            // Starts that were broken off say so in the run; those of plugins
            // that are being initialised are not waited for.
            let _ = timeout(BREAK_OFF_WAIT, loading).await;
            driver.shutdown().await;
            starts.stop_the_rest().await;
            return Ok(Err(signal));
        }
    };
    let tests = {
        // Gone at the end of this block, so that tests which were broken off
        // have ended before the run does.
        let running = pin!(run_tests(driver, plan, &plugins));
        match select(running, pin!(interrupts.next())).await {
            Either::Left((tests, _)) => Ok(tests),
            Either::Right((signal, _)) => Err(signal),
        }
    };
    let losses = driver.shutdown().await;
    Ok(tests.map(|tests| Done {
        plugins,
        tests,
        losses,
    }))
}

/// Runs the tests, as many at a time as the plan allows. Where a plugin did not
/// start, none is run: a result without it would say little.
async fn run_tests(
    driver: &Driver,
    plan: &Plan,
    plugins: &[Result<Plugin, PluginFailure>],
) -> Vec<TestResult> {
    let loaded: Option<Vec<&Plugin>> = plugins.iter().map(|plugin| plugin.as_ref().ok()).collect();
    let Some(loaded) = loaded else {
        return plan.tests.iter().map(TestResult::not_run).collect();
    };
    let tests = plan
        .tests
        .iter()
        .map(|planned| test::run(driver, plan, &loaded, planned));
    stream::iter(tests).buffered(plan.parallel).collect().await
}
