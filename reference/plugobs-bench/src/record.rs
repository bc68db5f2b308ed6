//! The record that every path carries: 243 bytes as a deployed log message.

use prost::Message;

use plugobs_proto::pact::v2::LogMessage;

/// Size of the encoded deployed message.
pub const BYTES: usize = 243;
pub const TARGET: &str = "bench::comparison";
/// Of one test run, as a framework mints it.
pub const TEST: &str = "019ab3f2-7c1a-7d30-8a55-1c0e5b6f9a02";
pub const TEXT: &str = "compared a row of the actual table with the row that the contract expects of it; cell 3 of 7, a whole number, agrees";

/// Added to each record's number, so that all texts are of one length.
pub const FIRST: u64 = 100_000_000_000_000;

/// The text of record `n`, always of one length.
pub fn text(n: u64) -> String {
    format!("{TEXT} {}", FIRST + n)
}

/// Logs record `n` by `tracing`, which makes the same text.
#[inline]
pub fn log(n: u64) {
    tracing::info!(target: TARGET, "{TEXT} {}", FIRST + n);
}

/// As [`log`], below the level that is usually set.
#[inline]
pub fn log_debug(n: u64) {
    tracing::debug!(target: TARGET, "{TEXT} {}", FIRST + n);
}

/// The deployed message of record `n`.
pub fn deployed(instance: &str, n: u64, timestamp_ms: i64) -> LogMessage {
    LogMessage {
        plugin_instance_id: instance.to_owned(),
        test_run_id: TEST.to_owned(),
        level: "INFO".to_owned(),
        message: text(n),
        target: TARGET.to_owned(),
        timestamp_ms,
    }
}

/// Whether it is as large as is said.
pub fn check() -> anyhow::Result<()> {
    let message = deployed(TEST, 1, 1_795_420_000_000);
    let bytes = message.encoded_len();
    anyhow::ensure!(bytes == BYTES, "the record has {bytes} bytes, not {BYTES}");
    Ok(())
}
