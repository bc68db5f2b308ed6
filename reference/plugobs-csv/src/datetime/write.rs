//! A moment, written in a pattern.

use std::fmt::Write as _;

use super::calendar::{MONTHS, Moment, WEEKDAYS};
use super::pattern::{Field, Name, OffsetMinutes, Part, Pattern};

impl Pattern {
    /// Writes a moment; its offset is that of UTC.
    #[must_use]
    pub fn write(&self, moment: Moment) -> String {
        let mut text = String::new();
        for part in &self.parts {
            write_part(part, moment, &mut text);
        }
        text
    }
}

fn write_part(part: &Part, moment: Moment, text: &mut String) {
    match part {
        Part::Literal(literal) => text.push_str(literal),
        Part::Number { field, width } => {
            // Writing to a string cannot fail.
            let _ = write!(text, "{:0width$}", number(*field, moment));
        }
        Part::Fraction(digits) => {
            let nanos = format!("{:09}", moment.nanos_of_second());
            text.push_str(&nanos[..*digits]);
        }
        Part::Name { field, full } => {
            let (names, index): (&[&str], _) = match field {
                Name::Month => (&MONTHS, moment.date().month - 1),
                Name::Weekday => (&WEEKDAYS, moment.date().weekday()),
            };
            let name = usize::try_from(index)
                .ok()
                .and_then(|index| names.get(index));
            let name = name.copied().unwrap_or_default();
            text.push_str(if *full { name } else { &name[..3] });
        }
        Part::HalfDay => text.push_str(if hour(moment) < 12 { "AM" } else { "PM" }),
        Part::Offset(offset) if offset.zulu => text.push('Z'),
        Part::Offset(offset) => text.push_str(match offset.minutes {
            OffsetMinutes::Optional => "+00",
            OffsetMinutes::Plain => "+0000",
            OffsetMinutes::Colon => "+00:00",
        }),
    }
}

fn number(field: Field, moment: Moment) -> i64 {
    let or = |zero, instead| if zero == 0 { instead } else { zero };
    match field {
        Field::Year => moment.date().year,
        Field::YearOfCentury => moment.date().year.rem_euclid(100),
        Field::Month => moment.date().month,
        Field::Day => moment.date().day,
        Field::Hour => hour(moment),
        Field::HourFromOne => or(hour(moment), 24),
        Field::HalfDayHour => hour(moment) % 12,
        Field::HalfDayHourFromOne => or(hour(moment) % 12, 12),
        Field::Minute => moment.second_of_day() / 60 % 60,
        Field::Second => moment.second_of_day() % 60,
    }
}

fn hour(moment: Moment) -> i64 {
    moment.second_of_day() / 3_600
}
