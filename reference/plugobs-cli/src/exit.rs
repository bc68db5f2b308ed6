//! What the exit code says.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: all well.
    Success,
    /// 1: a test did not end as expected, or a check found something.
    Found,
    /// 2: it could not be done as asked: wrong arguments, a wrong plan, a file
    /// that is missing or cannot be read or written.
    NotDone,
    /// 3: a plugin failed.
    PluginFailed,
    /// 128 and the number of the signal that broke it off, as shells have it.
    Interrupted(i32),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Found => 1,
            Self::NotDone => 2,
            Self::PluginFailed => 3,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
