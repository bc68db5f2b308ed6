//! Whether a value is a date or time of a pattern.

use super::calendar::{Date, MONTHS, WEEKDAYS, days_in_month};
use super::pattern::{Field, Name, Offset, OffsetMinutes, Part, Pattern};

/// Where and why a value leaves its pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// Something else was due at a place in the value.
    #[error("{wanted} is due at character {at}")]
    Due {
        /// What the pattern asks for.
        wanted: String,
        /// The place in the value, in characters from 1.
        at: usize,
    },
    /// The pattern is met and the value goes on.
    #[error("it should end before character {at}")]
    TooLong {
        /// The place in the value, in characters from 1.
        at: usize,
    },
    /// The month has no such day.
    #[error("there is no such day in that month")]
    NoSuchDay,
    /// The day is another day of the week.
    #[error("that day is a {weekday}")]
    Weekday {
        /// The day of the week that it is.
        weekday: &'static str,
    },
}

impl Pattern {
    /// Holds a value against the pattern, from its first to its last character.
    ///
    /// Fields must be in range, a day must exist in its month and year, and a weekday must be that of its date.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, value: &str) -> Result<(), Misfit> {
        let mut reader = Reader {
            value,
            rest: value,
            found: Found::default(),
        };
        for part in &self.parts {
            reader.take(part)?;
        }
        if !reader.rest.is_empty() {
            return Err(Misfit::TooLong { at: reader.place() });
        }
        reader.found.check_date()
    }
}

/// What has been read and still matters: the fields of a date depend on each other.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    weekday: Option<i64>,
}

struct Reader<'a> {
    value: &'a str,
    rest: &'a str,
    found: Found,
}

impl Reader<'_> {
    fn take(&mut self, part: &Part) -> Result<(), Misfit> {
        match part {
            Part::Literal(text) => {
                let rest = self.rest.strip_prefix(text.as_str());
                self.rest = rest.ok_or_else(|| self.due(format!("'{text}'")))?;
            }
            Part::Number { field, width } => self.take_field(*field, *width)?,
            Part::Fraction(digits) => {
                self.digits(*digits, *digits)
                    .ok_or_else(|| self.due(format!("a fraction of {digits} digits")))?;
            }
            Part::Name { field, full } => self.take_name(*field, *full)?,
            Part::HalfDay => {
                let word = self.rest.get(..2).unwrap_or_default();
                if !["AM", "PM"]
                    .iter()
                    .any(|half| word.eq_ignore_ascii_case(half))
                {
                    return Err(self.due("AM or PM".to_owned()));
                }
                self.rest = &self.rest[2..];
            }
            Part::Offset(offset) => self.take_offset(*offset)?,
        }
        Ok(())
    }

    fn take_field(&mut self, field: Field, width: usize) -> Result<(), Misfit> {
        let (least, most, longest) = field.bounds();
        let wanted = || match (field, width) {
            (Field::Year, 4) => "a year of 4 digits".to_owned(),
            (Field::Year, _) => "a year".to_owned(),
            (_, 2) => format!("{} from {least:02} to {most:02}", field.name()),
            _ => format!("{} from {least} to {most}", field.name()),
        };
        let (min, max) = if width == 1 {
            (1, longest)
        } else {
            (width, width)
        };
        let start = self.rest;
        let number = self
            .digits(min, max)
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| self.due_at(start, wanted()))?;
        match field {
            Field::Year => self.found.year = Some(number),
            Field::YearOfCentury => self.found.year = Some(2000 + number),
            Field::Month => self.found.month = Some(number),
            Field::Day => self.found.day = Some(number),
            _ => {}
        }
        Ok(())
    }

    fn take_name(&mut self, field: Name, full: bool) -> Result<(), Misfit> {
        let (names, wanted): (&[&str], _) = match field {
            Name::Month => (&MONTHS, "an English month name"),
            Name::Weekday => (&WEEKDAYS, "an English weekday name"),
        };
        let form = |name: &'static str| if full { name } else { &name[..3] };
        let found = names.iter().zip(0..).find_map(|(name, index)| {
            let name = form(name);
            let word = self.rest.get(..name.len())?;
            word.eq_ignore_ascii_case(name)
                .then_some((name.len(), index))
        });
        let length = if full { "" } else { " of 3 letters" };
        let (length, index) = found.ok_or_else(|| self.due(format!("{wanted}{length}")))?;
        self.rest = &self.rest[length..];
        match field {
            Name::Month => self.found.month = Some(index + 1),
            Name::Weekday => self.found.weekday = Some(index),
        }
        Ok(())
    }

    fn take_offset(&mut self, offset: Offset) -> Result<(), Misfit> {
        if let Some(rest) = self.rest.strip_prefix('Z').filter(|_| offset.zulu) {
            self.rest = rest;
            return Ok(());
        }
        let start = self.rest;
        self.offset_digits(offset.minutes).ok_or_else(|| {
            let example = match offset.minutes {
                OffsetMinutes::Optional => "+01",
                OffsetMinutes::Plain => "+0130",
                OffsetMinutes::Colon => "+01:30",
            };
            let zulu = if offset.zulu { " or Z" } else { "" };
            self.due_at(start, format!("an offset such as {example}{zulu}"))
        })
    }

    fn offset_digits(&mut self, minutes: OffsetMinutes) -> Option<()> {
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        self.digits(2, 2).filter(|hours| *hours <= 18)?;
        match minutes {
            OffsetMinutes::Optional if !self.rest.starts_with(|c: char| c.is_ascii_digit()) => {
                return Some(());
            }
            OffsetMinutes::Colon => self.rest = self.rest.strip_prefix(':')?,
            _ => {}
        }
        self.digits(2, 2)
            .filter(|minutes| *minutes < 60)
            .map(|_| ())
    }

    /// Takes as many digits as there are, from `min` to `max` of them and never more than an i64 holds.
    fn digits(&mut self, min: usize, max: usize) -> Option<i64> {
        let count = self
            .rest
            .bytes()
            .take(max)
            .take_while(u8::is_ascii_digit)
            .count();
        let (digits, rest) = self.rest.split_at(count);
        if count < min {
            return None;
        }
        self.rest = rest;
        digits.parse().ok()
    }

    fn due(&self, wanted: String) -> Misfit {
        self.due_at(self.rest, wanted)
    }

    fn due_at(&self, rest: &str, wanted: String) -> Misfit {
        Misfit::Due {
            wanted,
            at: self.place_of(rest),
        }
    }

    fn place(&self) -> usize {
        self.place_of(self.rest)
    }

    fn place_of(&self, rest: &str) -> usize {
        self.value.chars().count() - rest.chars().count() + 1
    }
}

impl Found {
    /// Without a year, 29 February may be a day; without a month, the 31st may be.
    fn check_date(&self) -> Result<(), Misfit> {
        let (Some(month), Some(day)) = (self.month, self.day) else {
            return Ok(());
        };
        if day > days_in_month(self.year.unwrap_or(2000), month) {
            return Err(Misfit::NoSuchDay);
        }
        let (Some(year), Some(claimed)) = (self.year, self.weekday) else {
            return Ok(());
        };
        let weekday = Date { year, month, day }.weekday();
        if weekday == claimed {
            return Ok(());
        }
        let name = usize::try_from(weekday)
            .ok()
            .and_then(|index| WEEKDAYS.get(index));
        Err(Misfit::Weekday {
            weekday: name.copied().unwrap_or_default(),
        })
    }
}
