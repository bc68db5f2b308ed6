//! A test framework with the deployed driver in it: loads the plugin that
//! `PACT_PLUGIN_DIR` has, lets some tests call it at once, each with a test run
//! ID of its own, and prints what reached the driver's log sink.
//!
//! Its argument is the log level of the framework, which the driver hands on to
//! the plugin.
//!
//! Standard output has one JSON value a line: each log entry as the sink got it,
//! and each call with its outcome.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pact_models::bodies::OptionalBody;
use pact_models::content_types::ContentType;
use pact_models::generators::Generator;
use pact_models::matchingrules::{Category, MatchingRuleCategory};
use pact_plugin_driver::catalogue_manager::{find_content_generator, find_content_matcher};
use pact_plugin_driver::content::InteractionContents;
use pact_plugin_driver::plugin_log_sink::{PluginLogEntry, PluginLogSink, set_plugin_log_sink};
use pact_plugin_driver::plugin_manager::{load_plugin, shutdown_plugins};
use pact_plugin_driver::plugin_models::{
    PluginDependency, PluginDependencyType, PluginInteractionConfig,
};
use pact_plugin_driver::test_context::set_test_run_id;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const TESTS: usize = 8;

struct Printed;

impl PluginLogSink for Printed {
    fn log(&self, entry: &PluginLogEntry) {
        println!("{}", json!({ "entry": entry }));
    }
}

fn main() -> Result<()> {
    let level = std::env::args().nth(1).context("usage: pact-host LEVEL")?;
    log::set_max_level(level.parse()?);
    set_plugin_log_sink(Box::new(Printed));
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let plugin = runtime.block_on(load_plugin(&PluginDependency {
        name: "plugobs-csv".to_owned(),
        version: None,
        dependency_type: PluginDependencyType::Plugin,
    }))?;
    println!("{}", json!({ "loaded": plugin.instance_id() }));

    // The driver keeps the test run ID by thread: a thread for each test.
    let runtime = &runtime;
    thread::scope(|scope| {
        let tests: Vec<_> = (0..TESTS)
            .map(|n| scope.spawn(move || test(runtime, n)))
            .collect();
        tests.into_iter().try_for_each(|test| {
            test.join()
                .unwrap_or_else(|_| Err(anyhow::anyhow!("a test panicked")))
        })
    })?;
    // And a call that is no test's.
    compare(runtime, "nobody", "nobody's", &configured(runtime)?)?;

    // At its end the driver kills the plugin at once, whatever it still has to say.
    thread::sleep(Duration::from_millis(500));
    shutdown_plugins();
    Ok(())
}

/// One test: configures an interaction, generates its body, and compares one
/// body that matches and one that does not.
fn test(runtime: &Runtime, n: usize) -> Result<()> {
    let id = format!("suite.py::test_{n}");
    set_test_run_id(Some(id.clone()));
    let contents = configured(runtime)?;
    generate(runtime, &contents)?;
    compare(runtime, &id, "1", &contents)?;
    compare(runtime, &id, &format!("of-test-{n}"), &contents)
}

fn configured(runtime: &Runtime) -> Result<InteractionContents> {
    let matcher = find_content_matcher("text/csv").context("no matcher for text/csv")?;
    let definition = json!({
        "csvHeaders": true,
        "column:Name": "matching(type,'Ann')",
        "column:Count": "matching(integer,7)",
    });
    let definition: HashMap<String, Value> = serde_json::from_value(definition)?;
    let csv = csv()?;
    let (mut contents, _) = runtime.block_on(matcher.configure_interaction(&csv, definition))?;
    ensure!(contents.len() == 1, "{} interactions", contents.len());
    Ok(contents.remove(0))
}

fn generate(runtime: &Runtime, contents: &InteractionContents) -> Result<()> {
    let csv = csv()?;
    let generator = find_content_generator(&csv).context("no generator for text/csv")?;
    let generators = HashMap::from([("column:Count".to_owned(), Generator::RandomInt(1, 9))]);
    let generated = runtime.block_on(generator.generate_content(
        &csv,
        &generators,
        &contents.body,
        &Vec::new(),
        &HashMap::new(),
        &HashMap::new(),
    ))?;
    println!("{}", json!({ "generated": generated.value_as_string() }));
    Ok(())
}

/// Compares a body whose count is `count` with the one that was configured.
fn compare(runtime: &Runtime, id: &str, count: &str, contents: &InteractionContents) -> Result<()> {
    let csv = csv()?;
    let matcher = find_content_matcher("text/csv").context("no matcher for text/csv")?;
    let body = format!("Name,Count\nBert,{count}\n");
    let actual = OptionalBody::Present(body.into(), Some(csv), None);
    let rules = contents.rules.clone();
    let rules = rules.unwrap_or_else(|| MatchingRuleCategory::empty(Category::BODY));
    let config = PluginInteractionConfig {
        interaction_configuration: contents.plugin_config.interaction_configuration.clone(),
        pact_configuration: contents.plugin_config.pact_configuration.clone(),
    };
    let (expected, config) = (&contents.body, Some(config));
    let compared =
        runtime.block_on(matcher.match_contents(expected, &actual, &rules, false, config));
    let mismatches = compared.err().unwrap_or_default();
    let mismatches: Vec<_> = mismatches.values().flatten().map(|m| &m.mismatch).collect();
    println!(
        "{}",
        json!({ "compared": id, "count": count, "mismatches": mismatches })
    );
    Ok(())
}

fn csv() -> Result<ContentType> {
    ContentType::parse("text/csv").map_err(anyhow::Error::msg)
}
