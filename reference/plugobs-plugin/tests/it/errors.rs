//! Fields and errors as attributes and exceptions.

use plugobs_core::Value;
use serde_json::json;

use crate::peer::{Driver, Offer};

#[tokio::test]
async fn an_error_tells_its_causes_outermost_first() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    plugin.run(json!([{"do": "log_error"}])).await;
    let record = driver.record("it failed").await;
    assert_eq!(record.level, "ERROR");
    let exception = record.exception.unwrap();
    assert_eq!(exception.message.as_deref(), Some("cannot read the file"));
    let stack = exception.stack_trace.unwrap();
    let outer = stack.find("row 7 is broken").unwrap();
    let inner = stack.find("no such column").unwrap();
    assert!(outer < inner, "{stack}");
}

#[tokio::test]
async fn fields_are_attributes_of_their_type() {
    let driver = Driver::new().await;
    let plugin = Offer::of(&driver).start().await;
    let steps = json!([{"do": "log_fields"}, {"do": "log_without_text"}]);
    plugin.run(steps).await;
    let record = driver.record("fields").await;
    let attribute = |key: &str| record.attribute(key).cloned();
    assert_eq!(attribute("row"), Some(7_i64.into()));
    assert_eq!(attribute("ratio"), Some(0.5.into()));
    assert_eq!(attribute("big"), Some(u64::MAX.to_string().as_str().into()));
    assert_eq!(attribute("ok"), Some(Value::from(true)));
    assert_eq!(attribute("name"), Some("n".into()));
    // A call without text has the name of its place.
    let seen = driver
        .wait("the record without text", |seen| {
            seen.records()
                .iter()
                .any(|record| record.message.is_empty())
        })
        .await;
    let mut records = seen.records().into_iter();
    let nameless = records.find(|r| r.message.is_empty()).unwrap();
    assert!(nameless.event_name.is_some_and(|name| !name.is_empty()));
}
