//! What the person who reads the test result is told, and what the author of the test finds in the log.

use crate::Error;
use crate::mismatch::Verdict;
use crate::rule::Violation;

/// How many mismatches are told one by one; the response names them all.
const TOLD: usize = 20;

/// Tells the outcome of a comparison.
pub(super) fn verdict(verdict: &Verdict) {
    match verdict {
        Verdict::ContentType { expected, actual } => {
            tracing::info!("expected content of type {expected} but got {actual}");
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
                tracing::info!("{}: {}", mismatch.place, mismatch.message);
            }
            if *total > TOLD {
                tracing::info!("and {} more mismatches", total - TOLD);
            }
        }
    }
}

/// Tells that a single value breaks its rule.
pub(super) fn violation(path: &str, violation: &Violation) {
    tracing::info!("{path}: {}", violation.message);
}

/// Tells why a call has no answer, and gives the text of it with its causes.
pub(super) fn refusal(task: &str, error: &Error) -> String {
    let text = error.to_string();
    tracing::error!("cannot {task}: {text}");
    text
}
