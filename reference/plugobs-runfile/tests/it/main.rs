//! Integration tests of run folders.
