//! The plugobs command.
