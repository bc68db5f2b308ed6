//! The SDK against a driver that a test plays.
