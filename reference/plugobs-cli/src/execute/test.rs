//! One test of the plan: its calls, one after another.

use std::collections::HashMap;

use plugobs_driver::{CallOptions, Driver, Plugin, Test, TestRun};

use super::call::{self, Configured};
use super::result::{CallResult, Came, Outcome, TestResult};
use crate::plan::{Operation, Plan, PlannedCall, PlannedTest};

/// Runs a test and waits until its records are in.
pub(super) async fn run(
    driver: &Driver,
    plan: &Plan,
    plugins: &[&Plugin],
    planned: &PlannedTest,
) -> TestResult {
    let test = driver.begin_test(test_run(plan, planned));
    // By plugin: instances keep nothing of each other.
    let mut configured = HashMap::new();
    let mut calls = Vec::new();
    for planned in &planned.calls {
        calls.push(make(&test, plugins[planned.plugin], planned, &mut configured).await);
    }
    let report = test.end(Outcome::of(&calls).as_str()).await;
    TestResult {
        name: planned.name.clone(),
        suite: planned.suite.clone(),
        calls,
        report: Some(report),
    }
}

fn test_run(plan: &Plan, planned: &PlannedTest) -> TestRun {
    let mut run = match &planned.id {
        Some(id) => TestRun::new(id),
        None => TestRun::named(&planned.name),
    };
    run.case_name = Some(planned.name.clone());
    run.suite_name.clone_from(&planned.suite);
    run.session_id.clone_from(&plan.session);
    run
}

async fn make(
    test: &Test,
    plugin: &Plugin,
    planned: &PlannedCall,
    configured: &mut HashMap<usize, Configured>,
) -> CallResult {
    let is_configure = matches!(planned.operation, Operation::Configure { .. });
    let mut result = CallResult {
        plugin: planned.plugin,
        operation: planned.operation.name(),
        expect: planned.expect,
        call_id: None,
        came: Came::NotMade,
    };
    if is_configure {
        // What comes of an older one is no longer the last one's answer.
        configured.remove(&planned.plugin);
    }
    let Some(request) = call::request(&planned.operation, configured.get(&planned.plugin)) else {
        return result;
    };
    let options = CallOptions {
        timeout: planned.timeout,
        ..CallOptions::for_test(test)
    };
    let returned = plugin.call(request, options).await;
    result.call_id = Some(returned.call_id.to_string());
    if let Some(answer) = returned.result.as_ref().ok().and_then(Configured::of) {
        configured.insert(planned.plugin, answer);
    }
    result.came = call::judge(returned.result);
    result
}
