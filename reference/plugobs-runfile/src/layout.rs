//! The names of a run folder's files. Every name is made of validated parts
//! or checked before it is used as a path.

/// The manifest.
pub(crate) const MANIFEST: &str = "run.json";
/// What the manifest is written to before it is renamed.
pub(crate) const MANIFEST_TEMPORARY: &str = ".run.json.new";
/// The segment to which records are appended.
pub(crate) const CURRENT_SEGMENT: &str = "records.ndjson";
/// The folder of failure reports.
pub(crate) const FAILURES: &str = "failures";

/// The name of the rotated segment `number`.
pub(crate) fn segment_name(number: u64) -> String {
    format!("records.{number:06}.ndjson")
}

/// The number of a rotated segment, from its name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("records.")?.strip_suffix(".ndjson")?;
    let number = digits.parse().ok()?;
    // The one spelling that a writer gives: no sign, no other padding.
    (segment_name(number) == name).then_some(number)
}

/// The name of an instance's raw output in its stream's folder: the newer
/// part, or the older one where the cap made two.
pub(crate) fn output_name(instance: &str, older: bool) -> String {
    let older = if older { ".1" } else { "" };
    format!("{instance}{older}.log")
}

/// The name of failure report `number` in its folder.
pub(crate) fn failure_name(number: u64) -> String {
    format!("{number}.json")
}

/// The number of a failure report, from its name.
pub(crate) fn failure_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(".json")?.parse().ok()?;
    (failure_name(number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_writers_own_names_are_segments() {
        assert_eq!(segment_number("records.000017.ndjson"), Some(17));
        assert_eq!(segment_number("records.1234567.ndjson"), Some(1_234_567));
        for other in [
            "records.ndjson",
            "records.17.ndjson",
            "records.+00017.ndjson",
            "records.0000017.ndjson",
            "records.000017.ndjson.bak",
            "Records.000017.ndjson",
        ] {
            assert_eq!(segment_number(other), None, "{other}");
        }
    }

    #[test]
    fn failure_names_are_read_back() {
        assert_eq!(failure_number(&failure_name(3)), Some(3));
        assert_eq!(failure_number("03.json"), None);
        assert_eq!(failure_number("../3.json"), None);
    }
}
