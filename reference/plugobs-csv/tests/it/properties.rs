//! What must hold for any input, tried on many.

use plugobs_csv::column::Column;
use plugobs_csv::datetime::{Moment, Pattern};
use plugobs_csv::expression;
use plugobs_csv::random::Random;
use plugobs_csv::settings::Settings;
use plugobs_csv::table::{Row, Table};

use crate::support::{Case, random_source};

const ROUNDS: u64 = 2_000;

/// Characters that a CSV writer, a lexer or a path may trip over.
const AWKWARD: &str = "ab1 ,;\"'\\\n\r\t|$[].:(){}\u{feff}äe\u{301}😀";

fn awkward(random: &mut Random<'_>, max: u64) -> String {
    let characters: Vec<char> = AWKWARD.chars().collect();
    (0..random.below(max + 1))
        .map(|_| *random.pick(&characters).unwrap())
        .collect()
}

#[test]
fn a_table_that_is_written_is_read_as_it_was() {
    let mut source = random_source(7);
    let mut random = Random::new(&mut source);
    for _ in 0..ROUNDS {
        let settings = Settings {
            headers: random.below(2) == 0,
            delimiter: *random.pick(b",;\t|").unwrap(),
        };
        let width = 1 + random.below(4);
        let cells =
            |random: &mut Random<'_>| (0..width).map(|_| awkward(random, 8)).collect::<Vec<_>>();
        // A byte order mark at the very beginning is no part of the first value.
        let mut header = cells(&mut random);
        header[0].insert(0, 'x');
        let mut rows: Vec<_> = (0..random.below(4)).map(|_| cells(&mut random)).collect();
        if !settings.headers {
            rows.insert(0, header.clone());
        }
        let table = Table {
            header: settings.headers.then_some(header),
            rows: rows
                .into_iter()
                .map(|cells| Row { line: 0, cells })
                .collect(),
            crlf: random.below(2) == 0,
        };
        let bytes = table.write(settings).unwrap();
        let read = Table::read(&bytes, settings).unwrap();
        assert_eq!(read.header, table.header);
        let cells = |table: &Table| {
            table
                .rows
                .iter()
                .map(|row| row.cells.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            cells(&read),
            cells(&table),
            "{:?}",
            String::from_utf8(bytes)
        );
    }
}

#[test]
fn every_body_that_is_a_table_matches_itself() {
    let mut source = random_source(11);
    let mut random = Random::new(&mut source);
    let mut compared = 0;
    for _ in 0..ROUNDS {
        let text = awkward(&mut random, 40);
        let case = Case::new(text.clone(), text.clone()).without_headers();
        if let Ok(verdict) = case.run() {
            compared += 1;
            assert!(verdict.is_match(), "{text:?}");
        }
    }
    assert!(
        compared > ROUNDS / 10,
        "only {compared} of the texts were tables"
    );
}

#[test]
fn no_text_makes_the_expression_parser_fall_over() {
    let mut source = random_source(13);
    let mut random = Random::new(&mut source);
    for _ in 0..ROUNDS {
        let text = format!("matching({})", awkward(&mut random, 30));
        if let Err(error) = expression::parse(&text) {
            assert!(
                error.to_string().starts_with(&format!("`{text}`")),
                "{error}"
            );
        }
    }
}

#[test]
fn a_column_is_found_again_by_its_path() {
    let mut source = random_source(17);
    let mut random = Random::new(&mut source);
    for _ in 0..ROUNDS {
        let name = format!("n{}", awkward(&mut random, 10));
        let column = Column::Name(name.trim().to_owned());
        assert_eq!(
            Column::parse(&column.path()),
            Ok(column.clone()),
            "{}",
            column.path()
        );
    }
}

#[test]
fn moments_that_are_written_keep_their_pattern() {
    let patterns = [
        "EEEE, dd MMMM yyyy HH:mm:ss.SSSSSSSSS XXX",
        "EEE d MMM yy hh:mm:ss a Z",
        "y-M-d H:m:s.S xxx",
        "yyyy-MM-dd'T'kk 'and' KK",
    ]
    .map(|pattern| Pattern::parse(pattern).unwrap());
    let mut source = random_source(19);
    let mut random = Random::new(&mut source);
    for _ in 0..ROUNDS {
        // From 2000 to 2099, the century that a year of two digits is read into.
        let second = 946_684_800 + i64::try_from(random.below(3_155_760_000)).unwrap();
        let nanos = u32::try_from(random.below(1_000_000_000)).unwrap();
        for pattern in &patterns {
            let text = pattern.write(Moment::from_unix(second, nanos));
            assert_eq!(pattern.check(&text), Ok(()), "{text} of {}", pattern.text());
        }
    }
}
