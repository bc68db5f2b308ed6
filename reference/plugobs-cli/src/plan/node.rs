//! A value of a plan that knows where it stands, so that every error says so.

use std::collections::BTreeSet;
use std::path::Path;

use plugobs_core::json::strict;
use serde_json::{Map, Value};

use super::error::{PlanError, Problem};

/// Of which plan a value is: for messages, and for the files it names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    /// The plan's path.
    pub(super) plan: &'a Path,
    /// Its folder.
    pub(super) folder: &'a Path,
}

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) of: Origin<'a>,
    pub(super) at: String,
    pub(super) value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn fail(&self, problem: Problem) -> PlanError {
        PlanError::Invalid {
            plan: self.of.plan.to_owned(),
            at: self.at.clone(),
            problem: Box::new(problem),
        }
    }

    fn wrong_type(&self, wanted: &'static str) -> PlanError {
        let found = match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.fail(Problem::WrongType { wanted, found })
    }

    /// A text that is not empty.
    pub(super) fn text(&self) -> Result<&'a str, PlanError> {
        match self.any_text()? {
            "" => Err(self.fail(Problem::Empty)),
            text => Ok(text),
        }
    }

    pub(super) fn any_text(&self) -> Result<&'a str, PlanError> {
        self.value.as_str().ok_or_else(|| self.wrong_type("a text"))
    }

    pub(super) fn boolean(&self) -> Result<bool, PlanError> {
        self.value
            .as_bool()
            .ok_or_else(|| self.wrong_type("true or false"))
    }

    pub(super) fn number(&self, least: u64, most: u64) -> Result<u64, PlanError> {
        let Value::Number(number) = self.value else {
            return Err(self.wrong_type("a whole number"));
        };
        number
            .as_u64()
            .filter(|n| (least..=most).contains(n))
            .ok_or_else(|| {
                let found = number.to_string();
                self.fail(Problem::OutOfRange { found, least, most })
            })
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, PlanError> {
        self.value
            .as_object()
            .ok_or_else(|| self.wrong_type("an object"))
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, PlanError> {
        let found = self.any_text()?;
        let known = words.iter().find(|(word, _)| *word == found);
        known.map(|(_, meaning)| *meaning).ok_or_else(|| {
            self.fail(Problem::NotOneOf {
                found: found.to_owned(),
                known: words.iter().map(|(word, _)| (*word).to_owned()).collect(),
            })
        })
    }

    /// The elements of a list that is not empty.
    pub(super) fn list(&self) -> Result<Vec<Node<'a>>, PlanError> {
        let list = self
            .value
            .as_array()
            .ok_or_else(|| self.wrong_type("a list"))?;
        if list.is_empty() {
            return Err(self.fail(Problem::Empty));
        }
        Ok(list
            .iter()
            .enumerate()
            .map(|(i, value)| Node {
                of: self.of,
                at: format!("{}[{i}]", self.at),
                value,
            })
            .collect())
    }

    /// The values of an object with free keys.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>, PlanError> {
        let object = self.object()?;
        Ok(object
            .iter()
            .map(|(key, value)| (key.as_str(), self.child(key, value)))
            .collect())
    }

    /// The members of an object with fixed keys.
    pub(super) fn members(self) -> Result<Members<'a>, PlanError> {
        Ok(Members {
            object: self.object()?,
            node: self,
            known: BTreeSet::new(),
        })
    }

    fn child(&self, key: &str, value: &'a Value) -> Node<'a> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        let at = if !key.is_empty() && key.bytes().all(plain) {
            format!("{}.{key}", self.at)
        } else {
            // Debug quotes and escapes, so that no key can forge a line.
            format!("{}[{key:?}]", self.at)
        };
        Node {
            of: self.of,
            at,
            value,
        }
    }

    /// The bytes of the file that this text names, relative to the plan.
    pub(super) fn file_bytes(&self) -> Result<Vec<u8>, PlanError> {
        let path = self.of.folder.join(self.text()?);
        std::fs::read(&path).map_err(|source| self.fail(Problem::File { path, source }))
    }

    /// The JSON object in the file that this text names.
    pub(super) fn file_object(&self) -> Result<Map<String, Value>, PlanError> {
        let path = self.of.folder.join(self.text()?);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(self.fail(Problem::File { path, source })),
        };
        strict::object(&text).map_err(|rejection| {
            let rejection = Box::new(rejection);
            self.fail(Problem::FileJson { path, rejection })
        })
    }
}

/// The members of one object, each asked for by its name; what nobody asked for
/// is an error.
#[derive(Debug)]
pub(super) struct Members<'a> {
    pub(super) node: Node<'a>,
    object: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
}

impl<'a> Members<'a> {
    pub(super) fn get(&mut self, member: &'static str) -> Option<Node<'a>> {
        self.known.insert(member);
        let value = self.object.get(member)?;
        Some(self.node.child(member, value))
    }

    pub(super) fn need(
        &mut self,
        member: &'static str,
        what: &'static str,
    ) -> Result<Node<'a>, PlanError> {
        self.get(member)
            .ok_or_else(|| self.node.fail(Problem::Missing { member, what }))
    }

    pub(super) fn text(&mut self, member: &'static str) -> Result<Option<String>, PlanError> {
        let node = self.get(member);
        node.map(|node| node.text().map(str::to_owned)).transpose()
    }

    /// Refuses members that were not asked for, but for notes (`x-…`).
    pub(super) fn finish(self) -> Result<(), PlanError> {
        self.refuse_unknown(|key| key.starts_with("x-"))
    }

    /// Refuses members that were not asked for.
    pub(super) fn finish_strictly(self) -> Result<(), PlanError> {
        self.refuse_unknown(|_| false)
    }

    fn refuse_unknown(self, allowed: impl Fn(&str) -> bool) -> Result<(), PlanError> {
        let mut keys = self.object.keys();
        match keys.find(|key| !self.known.contains(key.as_str()) && !allowed(key)) {
            None => Ok(()),
            Some(member) => Err(self.node.fail(Problem::Unknown {
                member: member.clone(),
                known: self.known.into_iter().collect(),
            })),
        }
    }
}
