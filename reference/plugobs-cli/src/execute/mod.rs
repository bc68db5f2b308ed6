//! Carries out a plan: starts its plugins, runs its tests, stops all of it.

mod call;
mod failures;
pub(crate) mod json;
mod plugins;
pub(crate) mod result;
mod test;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use plugobs_core::Severity;
use plugobs_driver::{Driver, Plugin, PluginFailure, PluginSource};
use plugobs_host_grpc::GrpcHost;
use plugobs_runfile::{RunFolder, RunOptions};

use crate::error::CliError;
use crate::plan::Plan;
use failures::FailureSink;
use result::{PluginResult, RunResult, TestResult};

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
}

/// Carries out a plan. A plugin that fails is part of the result.
///
/// # Errors
/// Where the run cannot begin: no run folder, no driver, or a plugin of the
/// plan that cannot even be named.
pub(crate) fn carry_out(plan: &Plan, settings: Settings) -> Result<RunResult, CliError> {
    let started = Instant::now();
    let sources = plugins::sources(plan, settings.program.as_deref())?;
    let mut builder = Driver::builder()
        .implementation("plugobs", env!("CARGO_PKG_VERSION"))
        .plugins(settings.source)
        .level(settings.level)
        .transport(GrpcHost::new());
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
    let (plugins, tests, losses) = driver.wait(async {
        let plugins = join_all(sources.into_iter().map(|source| source.load(&driver))).await;
        let tests = run_tests(&driver, plan, &plugins).await;
        (plugins, tests, driver.shutdown().await)
    });
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
