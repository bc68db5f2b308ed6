//! Reference plugin for text/csv.
