//! Between the driver's terms and the deployed messages: one file for each
//! version of the interface, and what both have in common.

#[macro_use]
mod common;
pub(crate) mod json;
pub(crate) mod v1;
pub(crate) mod v2;
