//! Severity numbers and level names.

use crate::registry::level;

/// How severe a record is, 1 to 24, as in OpenTelemetry. The number decides;
/// names are for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(u8);

impl Severity {
    /// TRACE.
    pub const TRACE: Self = Self(1);
    /// DEBUG.
    pub const DEBUG: Self = Self(5);
    /// INFO.
    pub const INFO: Self = Self(9);
    /// WARN.
    pub const WARN: Self = Self(13);
    /// ERROR.
    pub const ERROR: Self = Self(17);
    /// The highest, the last of FATAL's.
    pub const MAX: Self = Self(24);

    /// From a number; above 24 is treated as 24. `None` for 0, which means
    /// absent.
    pub fn from_number(number: u32) -> Option<Self> {
        match u8::try_from(number.min(24)) {
            Ok(n) if n > 0 => Some(Self(n)),
            _ => None,
        }
    }

    /// From a level's name or alias in the registry `levels`, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        level::ALL
            .iter()
            .find(|known| {
                known.name.eq_ignore_ascii_case(name)
                    || known.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))
            })
            .map(|known| Self(known.severity))
    }

    /// The number, 1 to 24.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The nearest of TRACE, DEBUG, INFO, WARN and ERROR at or below it.
    pub fn shown(self) -> &'static str {
        match self.0 {
            0..5 => "TRACE",
            5..9 => "DEBUG",
            9..13 => "INFO",
            13..17 => "WARN",
            _ => "ERROR",
        }
    }
}
