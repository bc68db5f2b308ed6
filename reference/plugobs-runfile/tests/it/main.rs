//! Integration tests of run folders: written by feeding events to the sink, as
//! a driver does, and read back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod checking;
mod damage;
mod following;
mod formats;
mod full_disk;
mod reading;
mod rotation;
mod story;
mod support;
mod writing;
