//! Work goes its own ways, and its records still say whose it is.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::peer::{Driver, Offer};

const CALL: &str = "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02";

fn call_id(n: usize) -> String {
    format!("019ab3f2-7c1a-7d30-8a55-{n:012x}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_calls_at_once_keep_their_records_apart() {
    const CALLS: usize = 64;
    let driver = Driver::new().await;
    let plugin = std::sync::Arc::new(Offer::of(&driver).start().await);
    let mut calls = JoinSet::new();
    for n in 0..CALLS {
        let plugin = plugin.clone();
        calls.spawn(async move {
            // Two ways in three tell the test by other means.
            let test = format!("t-{n}");
            let call = call_id(n);
            let baggage = format!("test.run.id={test}");
            let mut metadata = vec![("plugin-call-id", call.as_str())];
            let field = match n % 3 {
                0 => Some(test.as_str()),
                1 => {
                    metadata.push(("plugin-test-run-id", &test));
                    None
                }
                _ => {
                    metadata.push(("baggage", &baggage));
                    None
                }
            };
            let log = |what: &str| json!({"do": "log", "level": "INFO", "message": format!("{n} {what}")});
            let user = |what: &str| json!({"do": "user_message", "text": format!("{n} {what}")});
            let pause = json!({"do": "sleep_ms", "ms": n % 5});
            let inner = |what: &str| json!([log(&format!("{what} first")), pause,
                log(what), user(&format!("{what} user"))]);
            let steps = json!([
                log("handler"),
                {"do": "spawn", "steps": [{"do": "span", "steps": inner("span in task")},
                    {"do": "join"}, log("task")]},
                {"do": "blocking", "steps": inner("blocking")},
                {"do": "thread", "steps": [{"do": "thread", "steps": inner("thread in thread")},
                    {"do": "join"}]},
                {"do": "span", "steps": inner("span")},
                // It is not joined, and ends after the answer.
                {"do": "spawn", "steps": [{"do": "gate", "name": format!("g{n}")}, log("outlives")]},
                {"do": "span", "steps": [{"do": "gate", "name": format!("g{n}")}, log("span outlives")]},
                {"do": "sleep_ms", "ms": 20},
            ]);
            plugin.run_for(&metadata, field, steps).await;
        });
    }
    while let Some(done) = calls.join_next().await {
        done.unwrap();
    }
    // Every call has its answer; one other call lets their last work go on.
    let opens: Vec<_> = (0..CALLS)
        .map(|n| json!({"do": "open", "name": format!("g{n}")}))
        .collect();
    plugin
        .run_for(&[("plugin-test-run-id", "opener")], None, json!(opens))
        .await;
    const EACH: usize = 1 + 1 + 4 * 3 + 2;
    let is_of_call = |message: &str| {
        let number = message.split_once(' ').map(|(number, _)| number);
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    };
    let seen = driver
        .wait("records of every call", |seen| {
            let records = seen.records();
            let of_calls = records.iter().filter(|r| is_of_call(&r.message));
            of_calls.count() >= EACH * CALLS
        })
        .await;
    let mut of_call: BTreeMap<usize, usize> = BTreeMap::new();
    for record in seen.records() {
        let Some((n, what)) = record.message.split_once(' ') else {
            continue;
        };
        let Ok(n) = n.parse::<usize>() else { continue };
        let test = format!("t-{n}");
        assert_eq!(record.test_run_id.as_deref(), Some(test.as_str()), "{what}");
        assert_eq!(record.call_id, Some(call_id(n).into()), "{what}");
        *of_call.entry(n).or_default() += 1;
    }
    assert_eq!(of_call.len(), CALLS);
    assert!(of_call.values().all(|count| *count == EACH), "{of_call:?}");
}

#[tokio::test]
async fn a_call_that_is_given_up_still_says_whose_its_last_words_are() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let metadata = [("plugin-test-run-id", "t-1"), ("plugin-call-id", CALL)];
    let steps = json!([
        {"do": "log", "level": "INFO", "message": "it began"},
        {"do": "log_at_drop"},
    ]);
    tokio::select! {
        answer = plugin.try_run(&metadata, None, steps) => panic!("{answer:?}"),
        _ = driver.record("it began") => {}
    }
    for message in ["dropped", "dropped, user"] {
        let record = driver.record(message).await;
        assert_eq!(record.test_run_id.as_deref(), Some("t-1"), "{message}");
        assert_eq!(record.call_id.as_deref(), Some(CALL), "{message}");
    }
}

#[tokio::test]
async fn calls_to_the_host_say_for_which_call_they_are() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let metadata = [
        ("plugin-test-run-id", "t-1"),
        ("plugin-call-id", CALL),
        (
            "plugin-parent-call-id",
            "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a03",
        ),
        ("pact-call-chain-id", "chain"),
        ("pact-deadline-ms", "1700000000000"),
    ];
    let steps = json!([
        {"do": "host_call"},
        {"do": "span", "steps": [{"do": "host_call"}]},
        {"do": "thread", "steps": [{"do": "host_call"}]},
        {"do": "join"},
    ]);
    plugin.run_for(&metadata, None, steps).await;
    let calls = driver.seen().host_calls;
    assert_eq!(calls.len(), 3);
    for call in calls {
        assert_eq!(call.get("plugin-test-run-id"), Some("t-1"));
        assert_eq!(call.get("plugin-call-id"), Some(CALL));
        assert_eq!(call.get("pact-call-chain-id"), Some("chain"));
        assert_eq!(call.get("pact-deadline-ms"), Some("1700000000000"));
        assert_eq!(call.get("authorization"), Some("Bearer the-token"));
        assert_eq!(call.get("plugin-parent-call-id"), None);
    }
}

#[tokio::test]
async fn processes_of_the_plugin_do_not_get_the_drivers_word() {
    let driver = Driver::new().await;
    let offer = Offer::of(&driver).with("PLUGOBS_LEVEL", "INFO");
    let plugin = offer.start().await;
    let answer = plugin.run(json!([{"do": "child_environment"}])).await;
    assert_eq!(answer["environment"], json!(["PLUGOBS_LEVEL=INFO"]));
}

#[tokio::test]
async fn panics_are_records_of_their_call_and_poison_nothing() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let metadata = [("plugin-test-run-id", "t-1"), ("plugin-call-id", CALL)];
    let inside = json!([
        {"do": "span", "steps": [{"do": "panic", "message": "in a span"}]},
        {"do": "thread", "steps": [{"do": "panic", "message": "in a thread"}]},
        {"do": "log_bad_debug"},
        {"do": "log", "level": "INFO", "message": "it goes on"},
        {"do": "panic", "message": "in the handler"},
    ]);
    // The connection may go down with the handler's task.
    let answer = tokio::time::timeout(
        Duration::from_secs(20),
        plugin.try_run(&metadata, None, inside),
    );
    assert!(answer.await.unwrap().is_err());
    for text in ["in a span", "in a thread", "in the handler"] {
        let record = driver.record(&format!("panicked: {text}")).await;
        assert_eq!(record.level, "ERROR");
        assert_eq!(record.test_run_id.as_deref(), Some("t-1"), "{text}");
        assert_eq!(record.call_id.as_deref(), Some(CALL), "{text}");
        let exception = record.exception.unwrap();
        assert_eq!(exception.kind.as_deref(), Some("panic"));
        assert_eq!(exception.message.as_deref(), Some(text));
        let stack = exception.stack_trace.unwrap();
        assert!(
            stack.starts_with("at reference/") || stack.contains("steps.rs"),
            "{stack}"
        );
    }
    driver.record("it goes on").await;
    let bad = driver.record("before and after").await;
    assert_eq!(bad.test_run_id.as_deref(), Some("t-1"));
    // A new connection is served as ever.
    let mut again = plugin.client();
    for _ in 0..2 {
        // The first may find the connection closed.
        let request = plugobs_proto::pact::v2::Catalogue::default();
        if again.update_catalogue(request).await.is_ok() {
            break;
        }
    }
    driver.record("served UpdateCatalogue").await;
}
