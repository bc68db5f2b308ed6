//! What a driver mends in a record that a decoder would refuse, so that
//! nothing is lost (OBS-REC-33).

use std::collections::HashSet;

use plugobs_core::registry::channel;
use plugobs_core::{Record, Text};

/// A lifecycle record without an event is operational; of two attributes with
/// one key the first is kept; an attribute without a key has no place.
pub(crate) fn mend(record: &mut Record) {
    if record.channel == channel::LIFECYCLE && record.event_name.is_none() {
        record.channel = Text::from_static(channel::OPERATIONAL);
    }
    if record.attributes.is_empty() {
        return;
    }
    let mut keys = HashSet::new();
    let fine = record
        .attributes
        .iter()
        .all(|(key, _)| !key.is_empty() && keys.insert(key.as_str()));
    if !fine {
        let mut keys = HashSet::new();
        record
            .attributes
            .retain(|(key, _)| !key.is_empty() && keys.insert(key.clone()));
    }
}
