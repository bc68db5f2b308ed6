//! Whose record it is (OBS-SEC-11 to 18).

use plugobs_core::Record;
use plugobs_core::registry::mark;
use plugobs_driver::{CallOptions, TestRun};

use super::fake::{Fake, SOON, any_request, find, loaded, plain};

/// What a plugin did to a record before it sent it, and under whose call.
async fn sent(verified: bool, forge: impl Fn(&mut Record) + Send + Sync + 'static) -> Record {
    let fake = Fake::new(move |connection, call| {
        if call.identity.test_run_id.is_some() {
            let mut record = connection.record(1, "forged");
            record.test_run_id.clone_from(&call.identity.test_run_id);
            record.call_id.clone_from(&call.identity.call_id);
            forge(&mut record);
            connection.receive(record, verified);
        }
        Ok(plain(call))
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("mine"));
    plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    let record = find(&records, "forged");
    driver.shutdown().await;
    record
}

fn assert_quarantined(record: &Record) {
    assert!(record.has_mark(mark::QUARANTINED), "{record:#?}");
    assert_eq!(record.plugin_instance_id, None);
    assert_eq!(record.test_run_id, None);
    assert_eq!(record.call_id, None);
    // The key stays where it is, for the count (OBS-SEC-18).
    assert_eq!((record.epoch, record.sequence), (Some(1), Some(1)));
    assert!(record.claimed.as_ref().unwrap().via.is_some());
}

#[tokio::test]
async fn an_honest_record_is_believed() {
    let record = sent(true, |_| {}).await;
    assert_eq!(record.marks, Vec::<String>::new());
    assert_eq!(record.test_run_id.as_deref(), Some("mine"));
    assert!(record.call_id.is_some());
    assert_eq!(record.plugin_name.as_deref(), Some("fake"));
    assert_eq!(record.plugin_version.as_deref(), Some("1.2.3"));
}

#[tokio::test]
async fn another_instance_is_not() {
    let other = "00000000-0000-4000-8000-000000000000";
    let record = sent(true, move |r| r.plugin_instance_id = Some(other.into())).await;
    assert_quarantined(&record);
    let claimed = record.claimed.unwrap();
    assert_eq!(claimed.plugin_instance_id.as_deref(), Some(other));
    assert_eq!(claimed.test_run_id.as_deref(), Some("mine"));
}

#[tokio::test]
async fn a_stream_record_without_an_instance_is_not() {
    assert_quarantined(&sent(true, |r| r.plugin_instance_id = None).await);
}

#[tokio::test]
async fn another_test_is_not() {
    let record = sent(true, |r| r.test_run_id = Some("theirs".into())).await;
    assert_quarantined(&record);
    assert_eq!(
        record.claimed.unwrap().test_run_id.as_deref(),
        Some("theirs")
    );
}

#[tokio::test]
async fn another_test_without_a_call_is_not() {
    let forge = |r: &mut Record| (r.call_id, r.test_run_id) = (None, Some("theirs".into()));
    assert_quarantined(&sent(true, forge).await);
}

#[tokio::test]
async fn a_test_that_was_sent_is_believed_without_a_call() {
    let record = sent(true, |r| r.call_id = None).await;
    assert_eq!(record.test_run_id.as_deref(), Some("mine"));
}

#[tokio::test]
async fn a_call_that_was_not_issued_is_not() {
    let call = "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02";
    assert_quarantined(&sent(true, move |r| r.call_id = Some(call.into())).await);
    assert_quarantined(&sent(true, |r| r.call_id = Some("not a uuid".into())).await);
}

#[tokio::test]
async fn a_sender_without_a_token_is_marked() {
    let record = sent(false, |_| {}).await;
    assert_eq!(record.marks, [mark::UNVERIFIED]);
    assert_eq!(record.test_run_id.as_deref(), Some("mine"));
}

#[tokio::test]
async fn marks_of_the_driver_are_not_taken_from_a_plugin() {
    let record = sent(true, |r| {
        for forged in [
            mark::QUARANTINED,
            mark::UNVERIFIED,
            mark::LATE,
            mark::MALFORMED,
        ] {
            r.mark(forged);
        }
        r.mark("of a later version");
        r.mark(mark::TRUNCATED);
    })
    .await;
    assert_eq!(record.marks, ["of a later version", mark::TRUNCATED]);
}

#[tokio::test]
async fn what_only_the_driver_may_say_is_not_taken_from_a_plugin() {
    let record = sent(true, |r| {
        r.run_id = Some("forged".into());
        r.source = Some("driver".into());
        r.plugin_name = Some("forged".into());
        r.claimed = Some(Box::new(plugobs_core::Claimed::default()));
    })
    .await;
    assert_eq!(record.source.as_deref(), Some("stream"));
    assert_eq!(record.plugin_name.as_deref(), Some("fake"));
    assert_eq!(record.claimed, None);
    assert_ne!(record.run_id.as_deref(), Some("forged"));
}

#[tokio::test]
async fn without_the_token_that_was_shown_a_sender_is_an_impostor() {
    let fake = Fake::new(|connection, call| {
        if call.identity.test_run_id.is_some() {
            let intake = &connection.launch.intake;
            let token = intake.token().to_owned();
            assert_eq!(intake.authenticate(None), Ok(false));
            let mut wrong = token.clone();
            wrong.replace_range(63.., if token.ends_with('0') { "1" } else { "0" });
            assert!(intake.authenticate(Some(&wrong)).is_err());
            assert!(intake.authenticate(Some("")).is_err());
            connection.receive(connection.record(1, "before"), false);
            assert_eq!(intake.authenticate(Some(&token)), Ok(true));
            connection.receive(connection.record(2, "after"), false);
            connection.receive(connection.record(3, "own"), true);
        }
        Ok(plain(call))
    });
    let (driver, plugin, records) = loaded(&fake).await;
    let test = driver.begin_test(TestRun::new("mine"));
    plugin
        .call(any_request(), CallOptions::for_test(&test))
        .await
        .result
        .unwrap();
    assert!(records.wait_for(SOON, |all| all.iter().any(|r| r.message == "own")));
    assert_eq!(find(&records, "before").marks, [mark::UNVERIFIED]);
    assert_eq!(
        find(&records, "after").marks,
        [mark::QUARANTINED, mark::UNVERIFIED]
    );
    assert_eq!(find(&records, "own").marks, Vec::<String>::new());
    assert!(plugin.info().token_shown);
}

#[tokio::test]
async fn tokens_and_instances_are_not_used_twice() {
    let tokens = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let theirs = tokens.clone();
    let fake = Fake::new(move |connection, call| {
        if call.request.operation() == "InitPlugin" {
            let intake = &connection.launch.intake;
            theirs
                .lock()
                .unwrap()
                .push((intake.token().to_owned(), intake.instance_id().to_string()));
        }
        Ok(plain(call))
    });
    let (driver, _first, _records) = loaded(&fake).await;
    driver.load_manifest(super::fake::manifest()).await.unwrap();
    let seen = tokens.lock().unwrap().clone();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].0, seen[1].0);
    assert_ne!(seen[0].1, seen[1].1);
    assert!(seen.iter().all(|(token, id)| {
        token.len() == 64
            && plugobs_core::InstanceId::parse(id).is_ok()
            && id.as_bytes()[14] == b'4'
    }));
}
