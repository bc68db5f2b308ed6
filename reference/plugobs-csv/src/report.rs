//! What is told of an answer: to the person who reads the test result in user messages, to the author of the test in
//! the log.

#[cfg(not(feature = "process"))]
use plugobs_guest::user_message;
#[cfg(feature = "process")]
use plugobs_plugin::user_message;

use crate::Error;
use crate::mismatch::Verdict;
use crate::rule::Violation;

/// How many mismatches are told one by one; the response names them all.
const TOLD: usize = 20;

/// Tells the outcome of a comparison.
pub(crate) fn verdict(verdict: &Verdict) {
    match verdict {
        Verdict::ContentType { expected, actual } => {
            tracing::info!(
                expected,
                actual,
                "the content is not CSV; nothing was compared"
            );
            user_message!("expected content of type '{expected}' but got '{actual}'");
        }
        Verdict::Compared { total: 0, rows, .. } => {
            tracing::info!(rows, "the CSV body matches");
        }
        Verdict::Compared {
            mismatches,
            total,
            rows,
        } => {
            tracing::info!(rows, mismatches = total, "the CSV body does not match");
            for mismatch in mismatches.iter().take(TOLD) {
                user_message!("{}: {}", mismatch.place, mismatch.message);
            }
            if *total > TOLD {
                user_message!("and {} more mismatches", total - TOLD);
            }
        }
    }
}

/// Tells that a single value breaks its rule.
pub(crate) fn violation(path: &str, violation: &Violation) {
    tracing::info!(
        path,
        rule = violation.rule,
        "the value does not keep its rule"
    );
    user_message!("{path}: {}", violation.message);
}

/// Tells why a call has no answer, and gives the text for the driver, which shows it to the reader of the test result.
pub(crate) fn refusal(task: &str, error: &Error) -> String {
    let text = error.to_string();
    tracing::error!("cannot {task}: {text}");
    text
}
