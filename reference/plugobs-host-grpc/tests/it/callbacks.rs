//! A plugin's calls back to its host, which become calls to another plugin.

use plugobs_core::registry::event;
use plugobs_driver::{CallOptions, TestRun};
use serde_json::{Value as Json, json};

use super::support::{command_for, driver, find_where, plugin};

#[tokio::test]
async fn a_nested_call_is_for_the_test_of_the_call_that_it_is_nested_in() {
    let (driver, records) = driver();
    let caller = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let callee = driver.load_manifest(plugin(&["serve"])).await.unwrap();
    let test = driver.begin_test(TestRun::new("t-1"));
    let options = || CallOptions::for_test(&test);
    let arguments = json!({"entry": "content-matcher/test"});
    let answer = command_for(&caller, options(), "call-host", arguments.clone()).await;
    let told: Json = serde_json::from_str(answer["error"].as_str().unwrap()).unwrap();
    assert_eq!(told["testContext"]["testRunId"], "t-1");
    let metadata = &told["metadata"];
    assert_eq!(metadata["plugin-test-run-id"], "t-1");
    let parent = metadata["plugin-parent-call-id"].as_str().unwrap();
    assert_ne!(metadata["plugin-call-id"], parent);
    let begin = find_where(&records, "the outer call", |r| {
        r.event_name.as_deref() == Some(event::CALL_BEGIN) && r.call_id.as_deref() == Some(parent)
    });
    let instance = begin.plugin_instance_id.as_deref();
    assert_eq!(instance, Some(caller.instance_id().as_str()));
    assert_ne!(caller.instance_id(), callee.instance_id());

    let unknown = json!({"entry": "content-matcher/none"});
    let answer = command_for(&caller, options(), "call-host", unknown).await;
    assert_eq!(answer["status"], "NotFound");
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("content-matcher/none")
    );

    let mut forged = arguments.clone();
    forged["callId"] = json!("019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02");
    let answer = command_for(&caller, options(), "call-host", forged).await;
    assert_eq!(answer["status"], "PermissionDenied");

    let mut wrong = arguments;
    wrong["token"] = json!("wrong");
    let answer = command_for(&caller, options(), "call-host", wrong).await;
    assert_eq!(answer["status"], "Unauthenticated");
    driver.shutdown().await;
}
