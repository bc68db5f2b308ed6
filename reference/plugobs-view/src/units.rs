//! Times, sizes and counts for people.

use plugobs_core::Timestamp;

/// A duration with three digits or so: `812 µs`, `13.2 ms`, `1.20 s`.
pub(crate) fn duration(nanos: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let n = nanos as f64;
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.0} µs", n / 1e3),
        1_000_000..100_000_000 => format!("{:.1} ms", n / 1e6),
        100_000_000..1_000_000_000 => format!("{:.0} ms", n / 1e6),
        1_000_000_000..60_000_000_000 => format!("{:.2} s", n / 1e9),
        _ => format!(
            "{} min {} s",
            nanos / 60_000_000_000,
            nanos / 1_000_000_000 % 60
        ),
    }
}

/// The time between two points, 0 where a clock ran backwards.
pub(crate) fn between(began: Timestamp, ended: Timestamp) -> u64 {
    ended.unix_nanos().saturating_sub(began.unix_nanos())
}

/// A time as seconds from another, with a sign: `+0.012`.
pub(crate) fn offset(time: Timestamp, from: Timestamp) -> String {
    let (time, from) = (time.unix_nanos(), from.unix_nanos());
    let (sign, nanos) = if time >= from {
        ('+', time - from)
    } else {
        ('-', from - time)
    };
    let millis = nanos / 1_000_000;
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

/// The time of day, in UTC, with milliseconds.
pub(crate) fn time_of_day(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(11..23).unwrap_or(&text).to_owned()
}

/// A size: `812 bytes`, `13.2 KiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let n = bytes as f64;
    match bytes {
        0..1_024 => count(bytes, "byte"),
        1_024..1_048_576 => format!("{:.1} KiB", n / 1024.0),
        _ => format!("{:.1} MiB", n / 1_048_576.0),
    }
}

/// A count with its noun: `1 record`, `2 records`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits() {
        for (nanos, text) in [
            (812, "812 ns"),
            (812_345, "812 µs"),
            (13_234_567, "13.2 ms"),
            (132_345_678, "132 ms"),
            (1_204_000_000, "1.20 s"),
            (123_000_000_000, "2 min 3 s"),
        ] {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn offsets_have_a_sign() {
        let at = Timestamp::from_unix_nanos;
        assert_eq!(offset(at(2_012_000_000), at(2_000_000_000)), "+0.012");
        assert_eq!(offset(at(500_000_000), at(2_000_000_000)), "-1.500");
        assert_eq!(time_of_day(at(3_723_004_000_000)), "01:02:03.004");
    }
}
