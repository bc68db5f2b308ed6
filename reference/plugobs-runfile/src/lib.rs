//! Run folders: writing, reading, checking.
