//! Renders runs for people.
