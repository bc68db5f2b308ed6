//! Offsets from now in words: `tomorrow`, `+ 2 weeks`, `next month`, `noon - 1 hour`, `today @ midnight`.
//!
//! A date expression begins with `now`, `today`, `yesterday` or `tomorrow`, or with nothing, which is now.
//! A time expression begins with `now`, `midnight` or `noon`, or with nothing.
//! Steps follow: `+ 3 days`, `- 1 hour`, `next week`, `last year`.
//! Other words that Pact libraries know, such as names of weekdays, are refused.

use super::calendar::{Moment, NANOS_PER_DAY, NANOS_PER_SECOND};

/// Which words an expression may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shift {
    /// Days, weeks, fortnights, months and years.
    Date,
    /// Hours, minutes, seconds and milliseconds.
    Time,
    /// A date expression, then `@`, then a time expression; either may be left out.
    DateTime,
}

/// An expression that this plugin does not understand, or that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShiftError {
    /// A word is unknown, or stands where it has no meaning.
    #[error("`{word}` in `{expression}` is not supported; write for example {example}")]
    Word {
        /// The expression.
        expression: String,
        /// The word.
        word: String,
        /// An expression that is understood.
        example: &'static str,
    },
    /// The expression ends in the middle of a step.
    #[error("`{expression}` ends where a number and a unit are due; write for example {example}")]
    Unfinished {
        /// The expression.
        expression: String,
        /// An expression that is understood.
        example: &'static str,
    },
    /// The result lies outside the years 1 to 9999.
    #[error("`{expression}` leads out of the years 1 to 9999")]
    OutOfRange {
        /// The expression.
        expression: String,
    },
}

impl Shift {
    /// Moves a moment as an expression says.
    ///
    /// # Errors
    /// The expression is not understood, or leads out of the years 1 to 9999.
    pub fn apply(self, from: Moment, expression: &str) -> Result<Moment, ShiftError> {
        let moved = match (self, expression.split_once('@')) {
            (Self::DateTime, Some((date, time))) => {
                let moved = Steps::new(Self::Date, expression).apply(from, date)?;
                Steps::new(Self::Time, expression).apply(moved, time)?
            }
            (Self::Date | Self::DateTime, _) => {
                Steps::new(Self::Date, expression).apply(from, expression)?
            }
            (Self::Time, _) => Steps::new(Self::Time, expression).apply(from, expression)?,
        };
        if (1..=9999).contains(&moved.date().year) {
            Ok(moved)
        } else {
            Err(out_of_range(expression))
        }
    }
}

/// One half of an expression, with the whole of it for messages.
struct Steps<'a> {
    kind: Shift,
    expression: &'a str,
}

impl<'a> Steps<'a> {
    fn new(kind: Shift, expression: &'a str) -> Self {
        Self { kind, expression }
    }

    fn apply(&self, from: Moment, half: &str) -> Result<Moment, ShiftError> {
        let spaced = half.replace('+', " + ").replace('-', " - ").to_lowercase();
        let mut words = spaced.split_whitespace().peekable();
        let mut moment = from;
        if let Some(base) = words.peek().and_then(|word| self.base(from, word)) {
            moment = base;
            words.next();
        }
        while let Some(step) = words.next() {
            let (sign, count) = match step {
                "+" | "-" => {
                    let count =
                        words.next_if(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
                    let count: u32 = match count {
                        Some(digits) => digits.parse().map_err(|_| self.unknown(digits))?,
                        None => 1,
                    };
                    (if step == "+" { 1 } else { -1 }, i64::from(count))
                }
                "next" => (1, 1),
                "last" => (-1, 1),
                _ => return Err(self.unknown(step)),
            };
            let unit = words.next().ok_or_else(|| ShiftError::Unfinished {
                expression: self.expression.to_owned(),
                example: self.example(),
            })?;
            moment = self.step(moment, sign * count, unit)?;
        }
        Ok(moment)
    }

    fn base(&self, from: Moment, word: &str) -> Option<Moment> {
        let at = |nanos| Moment { nanos, ..from };
        match (self.kind, word) {
            (_, "now") | (Shift::Date, "today") => Some(from),
            (Shift::Date, "yesterday") => Some(from.plus_nanos(-NANOS_PER_DAY)),
            (Shift::Date, "tomorrow") => Some(from.plus_nanos(NANOS_PER_DAY)),
            (Shift::Time, "midnight") => Some(at(0)),
            (Shift::Time, "noon") => Some(at(NANOS_PER_DAY / 2)),
            _ => None,
        }
    }

    fn step(&self, moment: Moment, count: i64, unit: &str) -> Result<Moment, ShiftError> {
        let days = |count: i64| Moment {
            day: moment.day + count,
            ..moment
        };
        let nanos = |unit: i64| {
            let nanos = count
                .checked_mul(unit)
                .ok_or_else(|| out_of_range(self.expression))?;
            Ok(moment.plus_nanos(nanos))
        };
        let moved = match (self.kind, unit.strip_suffix('s').unwrap_or(unit)) {
            (Shift::Date, "day") => days(count),
            (Shift::Date, "week") => days(count * 7),
            (Shift::Date, "fortnight") => days(count * 14),
            (Shift::Date, "month") => moment.plus_months(count),
            (Shift::Date, "year") => moment.plus_months(count * 12),
            (Shift::Time, "hour") => nanos(3_600 * NANOS_PER_SECOND)?,
            (Shift::Time, "minute") => nanos(60 * NANOS_PER_SECOND)?,
            (Shift::Time, "second") => nanos(NANOS_PER_SECOND)?,
            (Shift::Time, "millisecond") => nanos(1_000_000)?,
            _ => return Err(self.unknown(unit)),
        };
        Ok(moved)
    }

    fn unknown(&self, word: &str) -> ShiftError {
        ShiftError::Word {
            expression: self.expression.to_owned(),
            word: word.to_owned(),
            example: self.example(),
        }
    }

    fn example(&self) -> &'static str {
        match self.kind {
            Shift::Time => "`now + 2 hours` or `noon - 30 minutes`",
            _ => "`tomorrow`, `today - 2 weeks` or `next month`",
        }
    }
}

fn out_of_range(expression: &str) -> ShiftError {
    ShiftError::OutOfRange {
        expression: expression.to_owned(),
    }
}
