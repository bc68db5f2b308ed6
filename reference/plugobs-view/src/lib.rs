//! Runs rendered for people who read a terminal. Pure: what a run folder holds
//! goes in, text comes out.
//!
//! Whatever may come from a plugin is shown with its deceptive characters as
//! visible escapes (`OBS-SEC-21`), and the second and every later line of it
//! begins with a bar, with which no first line begins (`OBS-SEC-22`).

mod attributes;
mod check;
mod failure;
mod overview;
mod page;
mod record;
mod story;
mod timeline;
mod units;

pub use check::check_report;
pub use failure::failure;
pub use overview::overview;
pub use record::record_line;
pub use story::story;

/// How the text is to look. The caller knows whether there is a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Whether to colour it, with ANSI escapes.
    pub colour: bool,
    /// The terminal's columns, at which lines are wrapped. `None` wraps none.
    pub width: Option<usize>,
}
