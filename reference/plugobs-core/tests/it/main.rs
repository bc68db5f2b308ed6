//! What every side agrees on, clause by clause, and as properties of arbitrary
//! records.

#![recursion_limit = "512"] // for the long table of JSON documents
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod arbitrary;
mod identities;
mod json;
mod json_properties;
mod limits;
mod lines;
mod ranges;
mod sanitise;
mod schemas;
mod severity;
mod validate;
