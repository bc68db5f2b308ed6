//! The error codes as Rust: an enum for rejections, and one for failures.

use std::fmt::Write;

use super::super::{Code, CodeKind, Registry};
use super::{described, doc};

/// Writes the enum of the codes of `kind`, with their texts.
pub(super) fn generate(out: &mut String, registry: &Registry<Code>, kind: CodeKind) {
    let (name, what) = match kind {
        CodeKind::Rejection => (
            "RejectionCode",
            "Why a decoder or validator refuses a form.",
        ),
        CodeKind::Failure => ("FailureCode", "How a plugin failed."),
    };
    let codes: Vec<&Code> = registry
        .entries
        .iter()
        .filter(|code| code.kind == kind)
        .collect();
    let _ = writeln!(
        out,
        "/// {what} Programs compare the code, never the text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum {name} {{"
    );
    for code in &codes {
        let _ = writeln!(out, "{}{},", doc(&described(*code)), variant(&code.name));
    }
    let _ = writeln!(
        out,
        "}}\n\nimpl {name} {{
        /// Every code, in the registry's order.
        pub const ALL: &[Self] = &[{}];
        ",
        codes
            .iter()
            .map(|code| format!("Self::{},", variant(&code.name)))
            .collect::<String>()
    );
    method(out, &codes, "as_str", "The registered name.", |code| {
        &code.name
    });
    method(
        out,
        &codes,
        "description",
        "What it means, a sentence.",
        |code| &code.description,
    );
    method(
        out,
        &codes,
        "stage",
        "The stage at which it arises.",
        |code| &code.stage,
    );
    if kind == CodeKind::Failure {
        method(
            out,
            &codes,
            "action",
            "What the user can do, a sentence.",
            |code| code.action.as_deref().unwrap_or_default(),
        );
    }
    let _ = writeln!(
        out,
        "/// The code of that name; `None` when the registry has none.
        #[must_use]
        pub fn parse(name: &str) -> Option<Self> {{
            Self::ALL.iter().copied().find(|code| code.as_str() == name)
        }}
        }}

        impl fmt::Display for {name} {{
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{
                f.write_str(self.as_str())
            }}
        }}
        "
    );
}

/// A method that gives a fixed text for each variant.
fn method<'a>(
    out: &mut String,
    codes: &[&'a Code],
    name: &str,
    what: &str,
    text: impl Fn(&'a Code) -> &'a str,
) {
    let _ = writeln!(
        out,
        "/// {what}\n#[must_use]\npub const fn {name}(self) -> &'static str {{ match self {{"
    );
    // Arms that give the same text are one arm.
    let mut arms: Vec<(&str, Vec<String>)> = Vec::new();
    for &code in codes {
        let pattern = format!("Self::{}", variant(&code.name));
        match arms.iter_mut().find(|(known, _)| *known == text(code)) {
            Some((_, patterns)) => patterns.push(pattern),
            None => arms.push((text(code), vec![pattern])),
        }
    }
    for (text, patterns) in arms {
        let _ = writeln!(out, "{} => {text:?},", patterns.join(" | "));
    }
    out.push_str("} }\n\n");
}

/// `handshake_timeout` as `HandshakeTimeout`.
fn variant(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let (first, rest) = part.split_at(part.len().min(1));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_variants() {
        assert_eq!(variant("handshake_timeout"), "HandshakeTimeout");
        assert_eq!(variant("crashed"), "Crashed");
    }
}
