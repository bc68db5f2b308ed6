//! As much of Markdown as the specification uses: headings, paragraphs, code, and other lines.

/// A piece of a chapter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Its first line, from 1.
    pub(super) line: usize,
    pub(super) kind: BlockKind,
    /// The lines without their markup: of a heading without its hashes.
    pub(super) lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    Heading,
    Paragraph,
    /// A fenced block.
    Code,
    /// A table's row, a list's item, a quotation.
    Other,
}

/// Cuts a chapter into blocks. A line of a list or table is a block of its own.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut fence: Option<&str> = None;
    let mut open_paragraph = false;
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        let (kind, content) = if let Some(mark) = fence {
            if line.starts_with(mark) {
                fence = None;
            }
            (BlockKind::Code, line)
        } else if let Some(mark) = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.starts_with(mark))
        {
            fence = Some(mark);
            (BlockKind::Code, line)
        } else if line.is_empty() {
            open_paragraph = false;
            continue;
        } else if line.starts_with('#') {
            (BlockKind::Heading, line.trim_start_matches('#').trim())
        } else if is_list_or_table(line) {
            (BlockKind::Other, line)
        } else {
            (BlockKind::Paragraph, line)
        };
        match blocks.last_mut() {
            Some(last) if open_paragraph && kind == BlockKind::Paragraph => {
                last.lines.push(content.to_owned());
            }
            _ => blocks.push(Block {
                line: index + 1,
                kind,
                lines: vec![content.to_owned()],
            }),
        }
        open_paragraph = kind == BlockKind::Paragraph;
    }
    blocks
}

/// A text without its code spans, each of which becomes as many `_`.
pub(super) fn without_code(text: &str) -> String {
    let mut in_code = false;
    text.chars()
        .map(|c| {
            if c == '`' {
                in_code = !in_code;
                '_'
            } else if in_code {
                '_'
            } else {
                c
            }
        })
        .collect()
}

fn is_list_or_table(line: &str) -> bool {
    let numbered = line
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .starts_with(". ")
        && line.starts_with(|c: char| c.is_ascii_digit());
    numbered
        || ["|", "- ", "* ", "+ ", ">", "<!--"]
            .iter()
            .any(|mark| line.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_a_chapter_into_blocks() {
        let text = "# Title\nOne.\nTwo.\n\n- item\n| a | b |\n```text\n# no heading\n```\nEnd.\n";
        let found: Vec<(usize, BlockKind, String)> = blocks(text)
            .into_iter()
            .map(|block| (block.line, block.kind, block.lines.join("/")))
            .collect();
        let expected = [
            (1, BlockKind::Heading, "Title"),
            (2, BlockKind::Paragraph, "One./Two."),
            (5, BlockKind::Other, "- item"),
            (6, BlockKind::Other, "| a | b |"),
            (7, BlockKind::Code, "```text"),
            (8, BlockKind::Code, "# no heading"),
            (9, BlockKind::Code, "```"),
            (10, BlockKind::Paragraph, "End."),
        ];
        let expected: Vec<_> = expected
            .map(|(line, kind, text)| (line, kind, text.into()))
            .into();
        assert_eq!(found, expected);
    }

    #[test]
    fn masks_code_spans() {
        assert_eq!(without_code("a `b. C` d"), "a ______ d");
    }
}
