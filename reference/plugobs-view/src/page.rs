//! Lines of styled spans, wrapped and coloured. All text enters here, and is
//! made safe here.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use plugobs_core::Severity;
use plugobs_core::sanitise;
use unicode_width::UnicodeWidthChar;

use crate::Look;

/// A terminal narrower than this is written to as if it were this wide.
const MIN_WIDTH: usize = 40;
/// What stands before the second and every later line of a text.
pub(crate) const BAR: &str = "│ ";

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// The style of a level.
pub(crate) fn of_severity(severity: Severity) -> Style {
    match severity.shown() {
        "ERROR" => BAD,
        "WARN" => WARN,
        "INFO" => GOOD,
        "DEBUG" => AnsiColor::Blue.on_default(),
        _ => DIM,
    }
}

/// One line of text in several styles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    spans: Vec<(Style, String)>,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds text, which stays on this line: line breaks are shown as escapes.
    #[must_use]
    pub(crate) fn add(mut self, style: Style, text: &str) -> Self {
        self.push(style, text);
        self
    }

    /// Adds text, padded with spaces to so many columns.
    #[must_use]
    pub(crate) fn padded(self, style: Style, text: &str, columns: usize) -> Self {
        let safe = sanitise::line(text);
        let padding = " ".repeat(columns.saturating_sub(width(&safe)));
        self.add(style, text).add(PLAIN, &padding)
    }

    /// This line, then the other.
    #[must_use]
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self
    }

    pub(crate) fn push(&mut self, style: Style, text: &str) {
        if !text.is_empty() {
            self.spans.push((style, sanitise::line(text).into_owned()));
        }
    }

    fn columns(&self) -> usize {
        self.spans.iter().map(|(_, text)| width(text)).sum()
    }
}

/// Lines, one below the other.
#[derive(Debug)]
pub(crate) struct Page {
    look: Look,
    out: String,
}

impl Page {
    pub(crate) fn new(look: &Look) -> Self {
        Self {
            look: *look,
            out: String::new(),
        }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// A heading, with an empty line before it where something is above.
    pub(crate) fn heading(&mut self, text: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.line(Line::new().add(BOLD, text));
    }

    /// One line; where it is wrapped, the rest stands below it behind a bar.
    pub(crate) fn line(&mut self, line: Line) {
        self.hanging(line, 4);
    }

    /// One line whose wrapped rest is indented by `indent` columns and a bar.
    pub(crate) fn hanging(&mut self, line: Line, indent: usize) {
        for (at, row) in self.wrap(line.spans, indent).into_iter().enumerate() {
            if at > 0 {
                self.continuation(indent);
            }
            self.row(&row);
        }
    }

    /// `head`, then `text`, whose later lines stand behind a bar below its
    /// first.
    pub(crate) fn text(&mut self, head: Line, style: Style, text: &str, mut tail: Line) {
        let indent = head.columns();
        let indent = self
            .look
            .width
            .map_or(indent, |columns| indent.min(columns.max(MIN_WIDTH) / 2));
        let mut lines = lines_of(text);
        let mut first = head;
        first.push(style, lines.next().unwrap_or_default().as_str());
        let rest: Vec<_> = lines.collect();
        if rest.is_empty() {
            first.spans.extend(tail.spans);
            self.hanging(first, indent);
            return;
        }
        self.hanging(first, indent);
        for line in rest {
            self.behind_bar(indent, style, &line);
        }
        if let Some((_, text)) = tail.spans.first_mut() {
            // It stood apart from the text before it, and begins a line now.
            *text = text.trim_start().to_owned();
            self.behind_bar_line(indent, tail);
        }
    }

    /// Every line of `text` behind a bar.
    pub(crate) fn block(&mut self, indent: usize, style: Style, text: &str) {
        for line in lines_of(text) {
            self.behind_bar(indent, style, &line);
        }
    }

    fn behind_bar(&mut self, indent: usize, style: Style, text: &str) {
        self.behind_bar_line(indent, Line::new().add(style, text));
    }

    fn behind_bar_line(&mut self, indent: usize, line: Line) {
        for row in self.wrap_from(line.spans, indent + width(BAR), indent) {
            self.continuation(indent);
            self.row(&row);
        }
    }

    fn continuation(&mut self, indent: usize) {
        self.out.push_str(&" ".repeat(indent));
        self.row_start(DIM, BAR);
    }

    fn row(&mut self, spans: &[(Style, String)]) {
        for (style, text) in spans {
            self.row_start(*style, text);
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    fn row_start(&mut self, style: Style, text: &str) {
        // Writing to a String does not fail.
        let _ = if self.look.colour && style != PLAIN {
            write!(self.out, "{style}{text}{style:#}")
        } else {
            write!(self.out, "{text}")
        };
    }

    fn wrap(&self, spans: Vec<(Style, String)>, indent: usize) -> Vec<Vec<(Style, String)>> {
        self.wrap_from(spans, 0, indent)
    }

    /// Rows of at most the terminal's width: the first begins at column
    /// `first`, later ones behind `indent` and a bar. It breaks at a space
    /// where there is one in the second half of a row, else anywhere.
    fn wrap_from(
        &self,
        spans: Vec<(Style, String)>,
        first: usize,
        indent: usize,
    ) -> Vec<Vec<(Style, String)>> {
        let total: usize = spans.iter().map(|(_, text)| width(text)).sum();
        let columns = match self.look.width {
            Some(columns) if first + total > columns.max(MIN_WIDTH) => columns.max(MIN_WIDTH),
            _ => return vec![spans],
        };
        let cells: Vec<(Style, char)> = spans
            .iter()
            .flat_map(|(style, text)| text.chars().map(|c| (*style, c)))
            .collect();
        let mut rows = Vec::new();
        let (mut start, mut used) = (0, first);
        let mut space = None;
        let mut at = 0;
        while at < cells.len() {
            let c = cells[at].1;
            let room_left = used + char_width(c) <= columns;
            if !room_left && at > start {
                let end = space.filter(|s| (s - start) * 2 > at - start).unwrap_or(at);
                rows.push(join(&cells[start..end]));
                // Spaces at the break go with it.
                start = end;
                while cells.get(start).is_some_and(|(_, c)| *c == ' ') {
                    start += 1;
                }
                (at, used, space) = (start, indent + width(BAR), None);
                continue;
            }
            if c == ' ' {
                space = Some(at);
            }
            used += char_width(c);
            at += 1;
        }
        if start < cells.len() || rows.is_empty() {
            rows.push(join(&cells[start..]));
        }
        rows
    }
}

/// Lines of a text that is shown over several; tabs are spaces there.
fn lines_of(text: &str) -> impl Iterator<Item = String> {
    text.trim_end_matches('\n')
        .split('\n')
        .map(|line| line.replace('\t', "    "))
}

fn join(cells: &[(Style, char)]) -> Vec<(Style, String)> {
    let mut spans: Vec<(Style, String)> = Vec::new();
    for (style, c) in cells {
        match spans.last_mut() {
            Some((last, text)) if last == style => text.push(*c),
            _ => spans.push((*style, c.to_string())),
        }
    }
    spans
}

/// Columns of a text that is safe.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}
