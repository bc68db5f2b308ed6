//! Levels (OBS-LEVEL-02 to 08).

use plugobs_core::Severity;
use plugobs_core::registry::level;

#[test]
fn every_name_and_alias_of_the_registry_has_its_number() {
    for known in level::ALL {
        for name in [known.name].iter().chain(known.aliases) {
            for name in [(*name).to_owned(), name.to_lowercase()] {
                assert_eq!(
                    Severity::from_name(&name).unwrap().number(),
                    known.severity,
                    "{name}"
                );
            }
        }
        assert_eq!(
            Severity::from_number(known.severity.into())
                .unwrap()
                .shown(),
            known.shown_as
        );
    }
    assert_eq!(Severity::from_name("banana"), None);
    assert_eq!(Severity::from_name(""), None);
}

#[test]
fn numbers_between_the_names_are_shown_as_the_one_below() {
    let shown: Vec<_> = (1..=25)
        .map(|n| Severity::from_number(n).unwrap().shown())
        .collect();
    let expected = [
        ("TRACE", 4),
        ("DEBUG", 4),
        ("INFO", 4),
        ("WARN", 4),
        ("ERROR", 9),
    ];
    let expected: Vec<_> = expected
        .iter()
        .flat_map(|(name, n)| vec![*name; *n])
        .collect();
    assert_eq!(shown, expected);
    assert_eq!(Severity::from_number(0), None);
    assert_eq!(Severity::from_number(u32::MAX), Some(Severity::MAX));
}
