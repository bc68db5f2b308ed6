//! What arrived at the driver, and how it adds up.

use plugobs_core::json::to_json_line;
use plugobs_core::{Record, SequenceSet};
use plugobs_proto::convert::decode_record;
use plugobs_proto::observability::v1 as proto;
use plugobs_proto::pact::v2::LogMessage;

/// All of it, in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) streams: Vec<Stream>,
    pub(crate) logged: Vec<Logged>,
    pub(crate) host_calls: Vec<HostCall>,
}

/// One stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    pub(crate) hello: Option<proto::Hello>,
    pub(crate) welcome: Option<proto::Welcome>,
    pub(crate) batches: Vec<proto::Batch>,
    pub(crate) flushed: Vec<proto::Flushed>,
    /// Whether the plugin half-closed it; `None` while it is open.
    pub(crate) end: Option<bool>,
}

/// One unary log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) message: LogMessage,
    pub(crate) metadata: Vec<(String, String)>,
}

/// The metadata of a call to the host.
#[derive(Debug, Clone)]
pub(crate) struct HostCall(pub(crate) Vec<(String, String)>);

impl HostCall {
    pub(crate) fn get(&self, wanted: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == wanted);
        found.map(|(_, value)| value.as_str())
    }
}

impl Stream {
    /// The sequences of the records that came on it, as they came.
    pub(crate) fn sequences(&self) -> Vec<u64> {
        let of = self.batches.iter().flat_map(|batch| &batch.sequences);
        of.copied().collect()
    }

    pub(crate) fn dropped(&self) -> Vec<proto::Dropped> {
        let of = self.batches.iter().flat_map(|batch| &batch.dropped);
        of.cloned().collect()
    }

    /// Bytes of records that came on it.
    pub(crate) fn bytes(&self) -> u64 {
        let of = self.batches.iter().flat_map(|batch| &batch.records);
        of.map(|record| record.len() as u64).sum()
    }
}

impl Seen {
    /// Every record of every stream, as it came, and so some of them twice.
    pub(crate) fn records(&self) -> Vec<Record> {
        let batches = self.streams.iter().flat_map(|stream| &stream.batches);
        let encoded = batches.flat_map(|batch| &batch.records);
        encoded.map(|bytes| decode_record(bytes).unwrap()).collect()
    }

    pub(crate) fn record(&self, message: &str) -> Option<Record> {
        let mut records = self.records().into_iter();
        records.find(|record| record.message == message)
    }

    pub(crate) fn event(&self, event: &str) -> Option<Record> {
        let mut records = self.records().into_iter();
        records.find(|record| record.event_name.as_deref() == Some(event))
    }

    pub(crate) fn events(&self) -> Vec<String> {
        let records = self.records().into_iter();
        records
            .filter_map(|record| record.event_name.map(String::from))
            .collect()
    }

    pub(crate) fn has_hello(&self) -> bool {
        self.streams.iter().any(|stream| stream.hello.is_some())
    }

    pub(crate) fn has_welcome(&self) -> bool {
        self.streams.iter().any(|stream| stream.welcome.is_some())
    }

    pub(crate) fn flushed(&self, flush_id: u64) -> Option<u64> {
        let mut all = self.streams.iter().flat_map(|stream| &stream.flushed);
        let found = all.find(|flushed| flushed.flush_id == flush_id);
        found.map(|flushed| flushed.through_sequence)
    }

    pub(crate) fn account(&self) -> Account {
        let mut hellos = self.streams.iter().rev().filter_map(|s| s.hello.as_ref());
        match hellos.next() {
            Some(hello) => self.account_of(hello.epoch),
            None => Account::default(),
        }
    }

    pub(crate) fn account_of(&self, epoch: u64) -> Account {
        let mut account = Account::default();
        let of_epoch = |hello: &proto::Hello| hello.epoch == epoch;
        for stream in &self.streams {
            let Some(hello) = stream.hello.as_ref().filter(|hello| of_epoch(hello)) else {
                continue;
            };
            account.first.get_or_insert(hello.first_sequence);
            for sequence in stream.sequences() {
                account.records.insert(sequence);
            }
            for range in stream.dropped() {
                account.dropped.insert_range(range.first, range.last);
            }
        }
        account
    }

    /// For people who read why a test failed.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for stream in &self.streams {
            text.push_str(&format!("{:?}\n{:?}\n", stream.hello, stream.dropped()));
            text.push_str(&format!("{:?} {:?}\n", stream.flushed, stream.end));
        }
        for record in self.records().iter().take(100) {
            text.push_str(&to_json_line(record));
            text.push('\n');
        }
        text + &format!("{:?}", self.logged)
    }
}

/// The sequences of one epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// Of the first hello.
    pub(crate) first: Option<u64>,
    pub(crate) records: SequenceSet,
    pub(crate) dropped: SequenceSet,
}

impl Account {
    /// Up to which sequence everything since the first hello is there.
    pub(crate) fn through(&self) -> u64 {
        let Some(first) = self.first else {
            return 0;
        };
        let mut all = self.records.clone();
        for (from, to) in self.dropped.iter() {
            all.insert_range(from, to);
        }
        if first > 1 {
            all.insert_range(1, first - 1);
        }
        all.contiguous()
    }
}
