//! SDK for process plugins.
