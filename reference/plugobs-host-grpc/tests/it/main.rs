//! Hosting processes.
