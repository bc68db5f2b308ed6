//! The subcommands, one a module.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod demo;
mod locate;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod tail;
