//! A plugin of many manners, good and bad: what the tests of this crate start.
fn main() {}
