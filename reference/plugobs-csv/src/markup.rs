//! A table as CommonMark, for people who read the contract.

use crate::column::Column;
use crate::table::Table;

/// How many rows are shown; a contract's example is for reading, not for storage.
const SHOWN_ROWS: usize = 20;

/// Writes the table under a heading; columns without a name are headed by their position.
pub(crate) fn table(table: &Table) -> String {
    let header = match &table.header {
        Some(names) => names.clone(),
        None => (0..table.width())
            .map(|index| Column::at(index).label())
            .collect(),
    };
    let mut text = String::from("# Data\n\n");
    push_row(&mut text, &header);
    let rules: Vec<_> = header.iter().map(|_| "---".to_owned()).collect();
    push_row(&mut text, &rules);
    for row in table.rows.iter().take(SHOWN_ROWS) {
        push_row(&mut text, &row.cells);
    }
    if table.rows.len() > SHOWN_ROWS {
        text.push_str(&format!(
            "\n… and {} more rows.\n",
            table.rows.len() - SHOWN_ROWS
        ));
    }
    text
}

fn push_row(text: &mut String, cells: &[String]) {
    text.push('|');
    for cell in cells {
        text.push(' ');
        text.push_str(&escape(cell));
        text.push_str(" |");
    }
    text.push('\n');
}

/// Keeps a value in its cell and out of the markup's way.
fn escape(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for c in cell.chars() {
        match c {
            '\n' | '\r' => text.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '~' | '#' => {
                text.extend(['\\', c]);
            }
            c => text.push(c),
        }
    }
    text
}
