//! The deployed unary log.

use plugobs_core::registry::mark;
use plugobs_driver::{CallOptions, TestRun};
use serde_json::json;

use super::support::{command, command_for, find, find_where, serving};

#[tokio::test]
async fn a_plugin_that_knows_nothing_but_the_deployed_log_is_heard() {
    let (driver, plugin, records) = serving().await;
    let test = driver.begin_test(TestRun::new("t-1"));
    let options = CallOptions::for_test(&test);
    let answer = command_for(&plugin, options, "log", json!({"message": "hello"})).await;
    assert_eq!(answer["status"], "Ok");
    let record = find(&records, "hello");
    assert_eq!(record.source.as_deref(), Some("rpc"));
    assert_eq!(record.marks, [mark::UNVERIFIED]);
    assert_eq!(record.test_run_id.as_deref(), Some("t-1"));
    let instance = plugin.instance_id().as_str();
    assert_eq!(record.plugin_instance_id.as_deref(), Some(instance));
    assert_eq!((record.epoch, record.sequence), (None, None));
    assert_eq!(
        (record.level.as_str(), record.target.as_str()),
        ("INFO", "deployed")
    );
    assert_eq!(record.timestamp.unix_nanos(), 1_700_000_000_000_000_000);
    driver.shutdown().await;
}

#[tokio::test]
async fn a_token_proves_the_sender_and_a_wrong_one_is_refused() {
    let (driver, plugin, records) = serving().await;
    let mine = json!({"message": "with the token", "token": "own"});
    assert_eq!(command(&plugin, "log", mine).await["status"], "Ok");
    let record = find(&records, "with the token");
    assert!(record.marks.is_empty(), "{:?}", record.marks);
    for token in [
        "wrong",
        "",
        "0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        let wrong = json!({"message": "never stored", "token": token});
        assert_eq!(
            command(&plugin, "log", wrong).await["status"],
            "Unauthenticated"
        );
    }
    // From now on a call without a token comes from somebody else.
    let none = json!({"message": "without the token"});
    assert_eq!(command(&plugin, "log", none).await["status"], "Ok");
    let record = find(&records, "without the token");
    assert!(record.is_quarantined());
    driver.shutdown().await;
    assert!(!records.all().iter().any(|r| r.message == "never stored"));
}

#[tokio::test]
async fn a_forged_instance_is_quarantined() {
    let (driver, plugin, records) = serving().await;
    let other = "0b5f2d0e-6c52-4b0e-9d0a-2f5c8a1d7e31";
    let forged = json!({"message": "forged", "instance": other});
    assert_eq!(command(&plugin, "log", forged).await["status"], "Ok");
    let record = find(&records, "forged");
    assert!(record.is_quarantined());
    assert_eq!(record.plugin_instance_id, None);
    let claimed = record.claimed.unwrap();
    assert_eq!(claimed.plugin_instance_id.as_deref(), Some(other));
    assert_eq!(claimed.via.as_deref(), Some(plugin.instance_id().as_str()));
    driver.shutdown().await;
}

#[tokio::test]
async fn a_message_of_10_mb_is_cut_and_not_lost() {
    let (driver, plugin, records) = serving().await;
    let big = json!({"message": "big: ", "megabytes": 10});
    assert_eq!(command(&plugin, "log", big).await["status"], "Ok");
    let record = find_where(&records, "the big one", |r| r.message.starts_with("big: y"));
    assert!(record.has_mark(mark::TRUNCATED));
    assert_eq!(record.message.len(), 65_536);
    assert_eq!(record.truncated_bytes, 10_000_005 - 65_536);
    driver.shutdown().await;
}
