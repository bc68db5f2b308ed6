//! The script of a call: its form, and the order in which it is gone through.
//!
//! `{"steps": [{"do": "log", "level": "INFO", "message": "…"}, …]}`. Steps that
//! start work of their own have `steps` in turn. A step that is not known is
//! answered with UNIMPLEMENTED.

use std::future::Future;
use std::pin::Pin;

use prost_types::Struct;
use prost_types::value::Kind;
use serde_json::{Value as Json, json};
use tonic::{Code, Status};
use tracing::Instrument;

use crate::steps;

/// What a script came to: an object that its steps fill.
pub(crate) type Answer = Json;

type Done = Result<Answer, Status>;
type Running = Pin<Box<dyn Future<Output = Done> + Send>>;

/// Goes through the script of a call.
pub(crate) async fn run(script: Option<&Struct>) -> Done {
    run_steps(to_json(script)["steps"].clone()).await
}

fn run_steps(steps: Json) -> Running {
    Box::pin(async move {
        let mut answer = json!({});
        let mut started = Vec::new();
        for step in steps.as_array().into_iter().flatten() {
            if let Some(work) = start(step) {
                started.push(work);
            } else if step["do"] == "join" {
                for work in started.drain(..) {
                    work.await?;
                }
            } else {
                steps::take(step, &mut answer).await?;
            }
        }
        Ok(answer)
    })
}

/// Starts the work of a step that has steps of its own; `None` for another. It
/// goes on whether it is joined or not.
fn start(step: &Json) -> Option<Running> {
    let steps = step["steps"].clone();
    let handle = tokio::runtime::Handle::current();
    let joined = |work: tokio::task::JoinHandle<Done>| -> Running {
        Box::pin(async move { work.await.map_err(failed)? })
    };
    Some(match step["do"].as_str()? {
        "spawn" => joined(plugobs_plugin::spawn(run_steps(steps))),
        "blocking" => joined(plugobs_plugin::spawn_blocking(move || {
            handle.block_on(run_steps(steps))
        })),
        "thread" => {
            let (done, wait) = tokio::sync::oneshot::channel();
            plugobs_plugin::spawn_thread(move || {
                // Nobody waits where it is not joined.
                let _ = done.send(handle.block_on(run_steps(steps)));
            });
            Box::pin(async move { wait.await.map_err(failed)? })
        }
        // The SDK's own functions are not used: the span carries the call.
        "span" => {
            let span = tracing::info_span!("work", of = "a test");
            joined(tokio::spawn(run_steps(steps).instrument(span)))
        }
        // Work of no call.
        "detached" => joined(tokio::spawn(run_steps(steps))),
        _ => return None,
    })
}

pub(crate) fn failed(error: impl std::fmt::Display) -> Status {
    Status::internal(error.to_string())
}

/// The status that a `reply_error` asks for.
pub(crate) fn status_of(step: &Json) -> Status {
    let code = step["code"].as_i64().and_then(|code| code.try_into().ok());
    Status::new(
        code.map_or(Code::Internal, Code::from_i32),
        step["message"].as_str().unwrap_or_default(),
    )
}

/// Only what the tests send is understood.
pub(crate) fn to_json(of: Option<&Struct>) -> Json {
    let fields = of.map(|of| &of.fields).into_iter().flatten();
    fields
        .map(|(key, of)| (key.clone(), value_to_json(of)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn value_to_json(of: &prost_types::Value) -> Json {
    match &of.kind {
        Some(Kind::StringValue(text)) => json!(text),
        Some(Kind::BoolValue(value)) => json!(value),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the tests send small counts"
        )]
        Some(Kind::NumberValue(number)) => json!(*number as u64),
        Some(Kind::ListValue(list)) => list.values.iter().map(value_to_json).collect(),
        Some(Kind::StructValue(of)) => to_json(Some(of)),
        _ => Json::Null,
    }
}
