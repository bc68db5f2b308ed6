//! Date and time patterns in the notation of Java, the part of it that test authors use.
//!
//! | letters | meaning |
//! |---|---|
//! | `yyyy` `yy` `y`, `uuuu` `uu` `u` | year of four digits, of the century 2000, of any length |
//! | `M` `MM` `MMM` `MMMM` (or `L`) | month as a number, short or full English name |
//! | `d` `dd` | day of the month |
//! | `E` `EE` `EEE` `EEEE` | weekday, short or full English name |
//! | `H` `k` `K` `h` with `a` | hour 0–23, 1–24, 0–11, 1–12; AM or PM |
//! | `m` `mm` `s` `ss` `S`… | minute, second, that many digits of the second's fraction |
//! | `X` `XX` `XXX` | offset as `+01`, `+0130`, `+01:30`; `Z` for zero |
//! | `x` `xx` `xxx` | the same without `Z` |
//! | `Z` `ZZ` `ZZZ`, `ZZZZZ` | as `xx`; as `XXX` |
//! | `'…'`, `''` | text as it stands; a single quote |
//!
//! Anything else that Java gives a meaning is refused: a pattern that is half understood would let wrong values pass.

/// A pattern that was understood as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub(super) parts: Vec<Part>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    /// A number of exactly `width` digits, or of one to `max_width` where `width` is 1.
    Number {
        field: Field,
        width: usize,
    },
    /// The second's fraction in exactly so many digits.
    Fraction(usize),
    /// An English name, full or cut to three letters.
    Name {
        field: Name,
        full: bool,
    },
    /// AM or PM.
    HalfDay,
    Offset(Offset),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    YearOfCentury,
    Month,
    Day,
    Hour,
    HourFromOne,
    HalfDayHour,
    HalfDayHourFromOne,
    Minute,
    Second,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Month,
    Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// Zero is written as `Z`.
    pub(super) zulu: bool,
    pub(super) minutes: OffsetMinutes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OffsetMinutes {
    /// `+01`, and `+0130` where there are minutes.
    Optional,
    /// `+0130`.
    Plain,
    /// `+01:30`.
    Colon,
}

/// A pattern that is not supported, or no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A letter, or so many of it, that this plugin gives no meaning.
    #[error(
        "`{letters}` in the date and time pattern `{pattern}` is not supported; put text between single quotes"
    )]
    Letters {
        /// The pattern.
        pattern: String,
        /// The letters as they stand in it.
        letters: String,
    },
    /// A symbol that Java reserves, such as the brackets of an optional section.
    #[error(
        "`{symbol}` in the date and time pattern `{pattern}` is not supported; put text between single quotes"
    )]
    Symbol {
        /// The pattern.
        pattern: String,
        /// The symbol.
        symbol: char,
    },
    /// Quoted text runs to the end of the pattern.
    #[error("a single quote in the date and time pattern `{pattern}` is never closed")]
    UnclosedQuote {
        /// The pattern.
        pattern: String,
    },
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It holds something that is not in this module's table.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut pattern = Self {
            parts: Vec::new(),
            text: text.to_owned(),
        };
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '\'' {
                rest = pattern.push_quoted(&rest[1..])?;
            } else if first.is_ascii_alphabetic() {
                let count = rest.chars().take_while(|c| *c == first).count();
                pattern.push_field(first, count)?;
                rest = &rest[count..];
            } else if matches!(first, '[' | ']' | '{' | '}' | '#') {
                return Err(PatternError::Symbol {
                    pattern: text.to_owned(),
                    symbol: first,
                });
            } else {
                pattern.push_literal(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        Ok(pattern)
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn push_literal(&mut self, c: char) {
        if let Some(Part::Literal(text)) = self.parts.last_mut() {
            text.push(c);
        } else {
            self.parts.push(Part::Literal(c.to_string()));
        }
    }

    /// Takes quoted text up to its closing quote and gives what follows it.
    fn push_quoted<'a>(&mut self, after_quote: &'a str) -> Result<&'a str, PatternError> {
        if let Some(rest) = after_quote.strip_prefix('\'') {
            self.push_literal('\'');
            return Ok(rest);
        }
        let mut chars = after_quote.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                self.push_literal(c);
            } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                self.push_literal('\'');
            } else {
                return Ok(&after_quote[at + 1..]);
            }
        }
        Err(PatternError::UnclosedQuote {
            pattern: self.text.clone(),
        })
    }

    fn push_field(&mut self, letter: char, count: usize) -> Result<(), PatternError> {
        let part = part(letter, count).ok_or_else(|| PatternError::Letters {
            pattern: self.text.clone(),
            letters: letter.to_string().repeat(count),
        })?;
        self.parts.push(part);
        Ok(())
    }
}

fn part(letter: char, count: usize) -> Option<Part> {
    let number = |field| {
        Some(Part::Number {
            field,
            width: count,
        })
    };
    let offset = |zulu, minutes| Some(Part::Offset(Offset { zulu, minutes }));
    match (letter, count) {
        ('y' | 'u', 1 | 4) => number(Field::Year),
        ('y' | 'u', 2) => number(Field::YearOfCentury),
        ('M' | 'L', 1 | 2) => number(Field::Month),
        ('M' | 'L', 3 | 4) => Some(Part::Name {
            field: Name::Month,
            full: count == 4,
        }),
        ('E', 1..=4) => Some(Part::Name {
            field: Name::Weekday,
            full: count == 4,
        }),
        ('d', 1 | 2) => number(Field::Day),
        ('H', 1 | 2) => number(Field::Hour),
        ('k', 1 | 2) => number(Field::HourFromOne),
        ('K', 1 | 2) => number(Field::HalfDayHour),
        ('h', 1 | 2) => number(Field::HalfDayHourFromOne),
        ('m', 1 | 2) => number(Field::Minute),
        ('s', 1 | 2) => number(Field::Second),
        ('S', 1..=9) => Some(Part::Fraction(count)),
        ('a', 1) => Some(Part::HalfDay),
        ('X' | 'x', 1) => offset(letter == 'X', OffsetMinutes::Optional),
        ('X' | 'x', 2) => offset(letter == 'X', OffsetMinutes::Plain),
        ('X' | 'x', 3) => offset(letter == 'X', OffsetMinutes::Colon),
        ('Z', 1..=3) => offset(false, OffsetMinutes::Plain),
        ('Z', 5) => offset(true, OffsetMinutes::Colon),
        _ => None,
    }
}

impl Field {
    /// The smallest and the largest value, and the digits of the longest.
    pub(super) fn bounds(self) -> (i64, i64, usize) {
        match self {
            Self::Year => (0, 999_999_999, 9),
            Self::YearOfCentury => (0, 99, 2),
            Self::Month => (1, 12, 2),
            Self::Day => (1, 31, 2),
            Self::Hour => (0, 23, 2),
            Self::HourFromOne => (1, 24, 2),
            Self::HalfDayHour => (0, 11, 2),
            Self::HalfDayHourFromOne => (1, 12, 2),
            Self::Minute | Self::Second => (0, 59, 2),
        }
    }

    /// The field with its article.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Year | Self::YearOfCentury => "a year",
            Self::Month => "a month",
            Self::Day => "a day",
            Self::Hour | Self::HourFromOne | Self::HalfDayHour | Self::HalfDayHourFromOne => {
                "an hour"
            }
            Self::Minute => "a minute",
            Self::Second => "a second",
        }
    }
}
