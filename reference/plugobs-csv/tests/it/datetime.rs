//! Date and time patterns, and offsets from now.

use plugobs_csv::datetime::{Moment, Pattern, PatternError, Shift, ShiftError};

/// Saturday, 2024-03-09 14:05:06.123456789 UTC.
fn now() -> Moment {
    Moment::from_unix(1_709_993_106, 123_456_789)
}

fn check(pattern: &str, value: &str) -> Result<(), String> {
    Pattern::parse(pattern)
        .unwrap()
        .check(value)
        .map_err(|misfit| misfit.to_string())
}

#[test]
fn patterns_are_written_and_what_is_written_is_read() {
    for (pattern, value) in [
        ("yyyy-MM-dd", "2024-03-09"),
        ("yy/M/d", "24/3/9"),
        ("y", "2024"),
        ("uuuu-LL", "2024-03"),
        ("EEE, d MMM yyyy", "Sat, 9 Mar 2024"),
        ("EEEE d MMMM", "Saturday 9 March"),
        ("HH:mm:ss.SSS", "14:05:06.123"),
        ("H:m:s.SSSSSSSSS", "14:5:6.123456789"),
        ("hh:mm a", "02:05 PM"),
        ("KK kk", "02 14"),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "2024-03-09T14:05:06Z"),
        ("HH:mmxxx", "14:05+00:00"),
        ("HHxx", "14+0000"),
        ("HHx", "14+00"),
        ("HHZ", "14+0000"),
        ("HHZZZZZ", "14Z"),
        ("d 'o''clock' ''", "9 o'clock '"),
        ("dd.MM.yyyy, HH 'Uhr'", "09.03.2024, 14 Uhr"),
    ] {
        let parsed = Pattern::parse(pattern).unwrap();
        assert_eq!(parsed.write(now()), value, "{pattern}");
        assert_eq!(parsed.check(value), Ok(()), "{pattern}");
    }
}

#[test]
fn midnight_and_noon_have_every_hour_style() {
    let pattern = Pattern::parse("H k K h a").unwrap();
    assert_eq!(pattern.write(Moment::from_unix(0, 0)), "0 24 0 12 AM");
    assert_eq!(
        pattern.write(Moment::from_unix(12 * 3_600, 0)),
        "12 12 0 12 PM"
    );
}

#[test]
fn values_that_leave_their_pattern_are_told_where() {
    for (pattern, value, message) in [
        (
            "yyyy-MM-dd",
            "2024-13-01",
            "a month from 01 to 12 is due at character 6",
        ),
        (
            "yyyy-MM-dd",
            "2024-3-01",
            "a month from 01 to 12 is due at character 6",
        ),
        (
            "yyyy-MM-dd",
            "24-03-01",
            "a year of 4 digits is due at character 1",
        ),
        (
            "yyyy-MM-dd",
            "2024-03-01T",
            "it should end before character 11",
        ),
        ("yyyy-MM-dd", "2024-03", "'-' is due at character 8"),
        ("yyyy-MM-dd", "", "a year of 4 digits is due at character 1"),
        (
            "yyyy-MM-dd",
            "2023-02-29",
            "there is no such day in that month",
        ),
        (
            "yyyy-MM-dd",
            "2024-04-31",
            "there is no such day in that month",
        ),
        ("MM-dd", "02-30", "there is no such day in that month"),
        (
            "H:mm",
            "24:00",
            "an hour from 0 to 23 is due at character 1",
        ),
        (
            "HH:mm",
            "10:60",
            "a minute from 00 to 59 is due at character 4",
        ),
        (
            "ss.SSS",
            "06.12",
            "a fraction of 3 digits is due at character 4",
        ),
        (
            "d MMM yyyy",
            "9 Mär 2024",
            "an English month name of 3 letters is due at character 3",
        ),
        (
            "EEEE",
            "Sat",
            "an English weekday name is due at character 1",
        ),
        ("EEE yyyy-MM-dd", "Fri 2024-03-09", "that day is a Saturday"),
        ("hh a", "02 XM", "AM or PM is due at character 4"),
        (
            "HHXXX",
            "14+0100",
            "an offset such as +01:30 or Z is due at character 3",
        ),
        (
            "HHxxx",
            "14Z",
            "an offset such as +01:30 is due at character 3",
        ),
        ("HHX", "14+01:00", "it should end before character 6"),
        (
            "HHXX",
            "14+2500",
            "an offset such as +0130 or Z is due at character 3",
        ),
        ("'ä'd", "ä0", "a day from 1 to 31 is due at character 2"),
    ] {
        assert_eq!(
            check(pattern, value),
            Err(message.to_owned()),
            "{pattern} {value}"
        );
    }
}

#[test]
fn fields_without_a_date_around_them_are_lenient() {
    for (pattern, value) in [
        ("MM-dd", "02-29"),
        ("dd", "31"),
        ("EEE", "Mon"),
        ("yy-MM-dd", "24-02-29"),
        ("HHX", "14-0330"),
        ("MMM", "MAR"),
        ("hha", "02pm"),
    ] {
        assert_eq!(check(pattern, value), Ok(()), "{pattern} {value}");
    }
}

#[test]
fn half_understood_patterns_are_refused() {
    for letters in [
        "Y", "D", "w", "F", "Q", "z", "VV", "G", "n", "A", "MMMMM", "ZZZZ", "yyy", "ddd", "T",
        "EEEEE",
    ] {
        let pattern = format!("HH{letters}mm");
        let error = Pattern::parse(&pattern).unwrap_err();
        assert!(
            matches!(&error, PatternError::Letters { letters: found, .. } if found == letters),
            "{error}"
        );
    }
    assert!(matches!(
        Pattern::parse("yyyy[-MM]"),
        Err(PatternError::Symbol { symbol: '[', .. })
    ));
    assert!(matches!(
        Pattern::parse("yyyy'T"),
        Err(PatternError::UnclosedQuote { .. })
    ));
}

#[test]
fn offsets_from_now_move_it() {
    let pattern = Pattern::parse("yyyy-MM-dd HH:mm:ss.SSS").unwrap();
    for (kind, expression, moved) in [
        (Shift::Date, "", "2024-03-09 14:05:06.123"),
        (Shift::Date, "today", "2024-03-09 14:05:06.123"),
        (Shift::Date, "tomorrow", "2024-03-10 14:05:06.123"),
        (Shift::Date, "yesterday", "2024-03-08 14:05:06.123"),
        (Shift::Date, "+ 1 day", "2024-03-10 14:05:06.123"),
        (Shift::Date, "now - 10 days", "2024-02-28 14:05:06.123"),
        (
            Shift::Date,
            "today +1week -1 Day",
            "2024-03-15 14:05:06.123",
        ),
        (Shift::Date, "next month", "2024-04-09 14:05:06.123"),
        (Shift::Date, "last year", "2023-03-09 14:05:06.123"),
        (Shift::Date, "+ fortnight", "2024-03-23 14:05:06.123"),
        (Shift::Time, "now + 10 hours", "2024-03-10 00:05:06.123"),
        (Shift::Time, "noon - 1 minute", "2024-03-09 11:59:00.000"),
        (
            Shift::Time,
            "midnight + 5 milliseconds",
            "2024-03-09 00:00:00.005",
        ),
        (Shift::DateTime, "tomorrow", "2024-03-10 14:05:06.123"),
        (
            Shift::DateTime,
            "tomorrow @ noon",
            "2024-03-10 12:00:00.000",
        ),
        (Shift::DateTime, "@ + 1 second", "2024-03-09 14:05:07.123"),
    ] {
        // `+1week` lacks the space that a unit needs.
        let expression = expression.replace("1week", "1 week");
        let got = kind
            .apply(now(), &expression)
            .map(|moment| pattern.write(moment));
        assert_eq!(got, Ok(moved.to_owned()), "{expression}");
    }
}

#[test]
fn offsets_that_are_not_understood_are_errors() {
    for (kind, expression) in [
        (Shift::Date, "next monday"),
        (Shift::Date, "noon"),
        (Shift::Date, "+ 2 hours"),
        (Shift::Date, "soon"),
        (Shift::Date, "+ 99999999999 days"),
        (Shift::Time, "+ 1 day"),
        (Shift::Time, "5 o'clock"),
        (Shift::DateTime, "today @ today"),
    ] {
        let error = kind.apply(now(), expression).unwrap_err();
        assert!(
            matches!(&error, ShiftError::Word { .. }),
            "{expression}: {error}"
        );
    }
    let unfinished = Shift::Date.apply(now(), "today + 1").unwrap_err();
    assert!(
        matches!(unfinished, ShiftError::Unfinished { .. }),
        "{unfinished}"
    );
    for (kind, expression) in [
        (Shift::Date, "+ 8000 years"),
        (Shift::Date, "- 4000000000 months"),
        (Shift::Date, "+ 4000000000 fortnights"),
        (Shift::Time, "+ 4000000000 hours"),
    ] {
        let error = kind.apply(now(), expression).unwrap_err();
        assert!(
            matches!(&error, ShiftError::OutOfRange { .. }),
            "{expression}: {error}"
        );
    }
}
