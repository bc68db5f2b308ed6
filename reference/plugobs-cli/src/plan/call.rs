//! Reads one call of a plan.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use plugobs_driver::interface::{Body, ContentHint, FieldValue, Rule};
use serde_json::{Map, Value};

use super::error::{PlanError, Problem};
use super::node::{Members, Node};
use super::{
    Compare, Expect, Generate, GenerateField, MatchField, Operation, PlannedCall, PlannedPlugin,
};

/// A call that takes longer than this is not waited for anyway: a day.
const MAX_TIMEOUT_MS: u64 = 24 * 60 * 60 * 1000;

const EXPECTATIONS: [(&str, Expect); 3] = [
    ("match", Expect::Match),
    ("mismatch", Expect::Mismatch),
    ("error", Expect::Error),
];

#[derive(Clone, Copy)]
enum Kind {
    Configure,
    Compare,
    Generate,
    MatchField,
    GenerateField,
}

const OPERATIONS: [(&str, Kind); 5] = [
    ("configure", Kind::Configure),
    ("compare", Kind::Compare),
    ("generate", Kind::Generate),
    ("match_field", Kind::MatchField),
    ("generate_field", Kind::GenerateField),
];

/// Reads one call; `earlier` are those before it in the test.
pub(super) fn read(
    node: Node<'_>,
    plugins: &[PlannedPlugin],
    earlier: &[PlannedCall],
) -> Result<PlannedCall, PlanError> {
    let mut members = node.members()?;
    let named = members.need("plugin", "the id of one of the plan's plugins")?;
    let ids: Vec<_> = plugins
        .iter()
        .enumerate()
        .map(|(place, plugin)| (plugin.id.as_str(), place))
        .collect();
    let plugin = one_of(&named, &ids)?;
    let kind = members
        .need("operation", "what the plugin is to do")?
        .word(&OPERATIONS)?;
    let timeout = members.get("timeoutMs");
    let timeout = timeout
        .map(|node| node.number(1, MAX_TIMEOUT_MS))
        .transpose()?
        .map(Duration::from_millis);
    let expect = match members.get("expect") {
        None => Expect::Match,
        Some(node) => node.word(&EXPECTATIONS)?,
    };
    let operation = match kind {
        Kind::Configure => configure(&mut members)?,
        Kind::Compare => compare(&mut members)?,
        Kind::Generate => generate(&mut members)?,
        Kind::MatchField => match_field(&mut members)?,
        Kind::GenerateField => generate_field(&mut members)?,
    };
    let configured = earlier
        .iter()
        .any(|call| call.plugin == plugin && matches!(call.operation, Operation::Configure { .. }));
    if operation.uses_configured() && !configured {
        return Err(members.node.fail(Problem::NothingConfigured));
    }
    members.finish()?;
    Ok(PlannedCall {
        plugin,
        operation,
        timeout,
        expect,
    })
}

fn one_of(node: &Node<'_>, ids: &[(&str, usize)]) -> Result<usize, PlanError> {
    let found = node.any_text()?;
    let known = ids.iter().find(|(id, _)| *id == found);
    known.map(|(_, place)| *place).ok_or_else(|| {
        node.fail(Problem::NotOneOf {
            found: found.to_owned(),
            known: ids.iter().map(|(id, _)| (*id).to_owned()).collect(),
        })
    })
}

impl Operation {
    fn uses_configured(&self) -> bool {
        match self {
            Self::Compare(compare) => compare.use_configured,
            Self::Generate(generate) => generate.use_configured,
            _ => false,
        }
    }
}

fn configure(members: &mut Members<'_>) -> Result<Operation, PlanError> {
    let content_type = content_type(members)?;
    let config = members.need("config", "the contents' configuration")?;
    Ok(Operation::Configure {
        content_type,
        config: object_or_file(config)?,
    })
}

fn compare(members: &mut Members<'_>) -> Result<Operation, PlanError> {
    let content_type = content_type(members)?;
    let use_configured = use_configured(members)?;
    let expected = members.get("expected");
    if expected.is_none() && !use_configured {
        return Err(members.node.fail(Problem::Missing {
            member: "expected",
            what: "the expected body; or let \"useConfigured\": true take it from a configure call",
        }));
    }
    let actual = members.need("actual", "the actual body")?;
    let allow = members.get("allowUnexpectedKeys");
    Ok(Operation::Compare(Box::new(Compare {
        expected: expected.map(|node| body(node, &content_type)).transpose()?,
        actual: body(actual, &content_type)?,
        allow_unexpected_keys: allow.map_or(Ok(false), |node| node.boolean())?,
        rules: members.get("rules").map(rules).transpose()?,
        config: config(members)?,
        use_configured,
    })))
}

fn generate(members: &mut Members<'_>) -> Result<Operation, PlanError> {
    let use_configured = use_configured(members)?;
    let given_type = members.text("contentType")?;
    let contents = match (members.get("contents"), given_type) {
        (Some(node), Some(content_type)) => Some(body(node, &content_type)?),
        (Some(_), None) => {
            return Err(members.node.fail(Problem::Missing {
                member: "contentType",
                what: "the type of \"contents\"",
            }));
        }
        (None, _) if use_configured => None,
        (None, _) => {
            return Err(members.node.fail(Problem::Missing {
                member: "contents",
                what: "the body to generate from; or let \"useConfigured\": true take it from a configure call",
            }));
        }
    };
    Ok(Operation::Generate(Box::new(Generate {
        contents,
        generators: members.get("generators").map(generators).transpose()?,
        config: config(members)?,
        use_configured,
    })))
}

fn match_field(members: &mut Members<'_>) -> Result<Operation, PlanError> {
    let (key, path) = field(members)?;
    let rule_node = members.need("rule", "the matching rule")?;
    let expected = members.need("expectedValue", "the value that should be")?;
    let actual = members.need("actualValue", "the value that is")?;
    Ok(Operation::MatchField(Box::new(MatchField {
        key,
        path,
        rule: rule(rule_node)?,
        expected: FieldValue::Json(expected.value.clone()),
        actual: FieldValue::Json(actual.value.clone()),
        config: config(members)?,
    })))
}

fn generate_field(members: &mut Members<'_>) -> Result<Operation, PlanError> {
    let (key, path) = field(members)?;
    let generator = members.need("rule", "the generator")?;
    let example = members.get("exampleValue");
    Ok(Operation::GenerateField(Box::new(GenerateField {
        key,
        path,
        generator: rule(generator)?,
        example: FieldValue::Json(example.map_or(Value::Null, |node| node.value.clone())),
        config: config(members)?,
    })))
}

fn field(members: &mut Members<'_>) -> Result<(String, String), PlanError> {
    let key = members.need("key", "the catalogue entry's key")?;
    let path = members.need("path", "the field's path")?;
    Ok((key.text()?.to_owned(), path.any_text()?.to_owned()))
}

fn content_type(members: &mut Members<'_>) -> Result<String, PlanError> {
    let node = members.need("contentType", "the content type, such as text/csv")?;
    Ok(node.text()?.to_owned())
}

fn use_configured(members: &mut Members<'_>) -> Result<bool, PlanError> {
    match members.get("useConfigured") {
        None => Ok(false),
        Some(node) if node.boolean()? => Ok(true),
        Some(node) => Err(node.fail(Problem::OnlyTrue)),
    }
}

fn config(members: &mut Members<'_>) -> Result<Option<Map<String, Value>>, PlanError> {
    members.get("config").map(object_or_file).transpose()
}

fn body(node: Node<'_>, content_type: &str) -> Result<Body, PlanError> {
    let mut members = node.members()?;
    let content = match (members.get("file"), members.get("text")) {
        (Some(_), Some(_)) => {
            return Err(members.node.fail(Problem::Together {
                member: "file",
                other: "text",
            }));
        }
        (Some(file), None) => Bytes::from(file.file_bytes()?),
        (None, Some(text)) => Bytes::from(text.any_text()?.to_owned()),
        (None, None) => {
            return Err(members.node.fail(Problem::Missing {
                member: "file",
                what: "a path relative to the plan; or give a short body as \"text\"",
            }));
        }
    };
    members.finish_strictly()?;
    Ok(Body {
        content_type: content_type.to_owned(),
        content: Some(content),
        hint: ContentHint::Default,
    })
}

/// The path in `{"file": PATH}`, where that is all there is.
fn file_of<'a>(node: &Node<'a>) -> Result<Option<Node<'a>>, PlanError> {
    let entries = node.entries()?;
    let mut entries = entries.into_iter();
    Ok(match (entries.next(), entries.next()) {
        (Some(("file", file)), None) => Some(file),
        _ => None,
    })
}

fn object_or_file(node: Node<'_>) -> Result<Map<String, Value>, PlanError> {
    match file_of(&node)? {
        Some(file) => file.file_object(),
        None => Ok(node.object()?.clone()),
    }
}

fn rules(node: Node<'_>) -> Result<BTreeMap<String, Vec<Rule>>, PlanError> {
    by_path(node, |node| node.list()?.into_iter().map(rule).collect())
}

fn generators(node: Node<'_>) -> Result<BTreeMap<String, Rule>, PlanError> {
    by_path(node, rule)
}

fn by_path<T>(
    node: Node<'_>,
    read: impl Fn(Node<'_>) -> Result<T, PlanError>,
) -> Result<BTreeMap<String, T>, PlanError> {
    let Some(file) = file_of(&node)? else {
        let entries = node.entries()?.into_iter();
        return entries
            .map(|(path, node)| match path {
                // Beside others it would be a file's name taken for a path.
                "file" => Err(node.fail(Problem::Together {
                    member: "file",
                    other: "other members",
                })),
                _ => Ok((path.to_owned(), read(node)?)),
            })
            .collect();
    };
    let object = Value::Object(file.file_object()?);
    let inside = Node {
        of: file.of,
        // What is wrong in the file is found by the file's name.
        at: format!("{} ({})", file.at, file.text()?),
        value: &object,
    };
    let entries = inside.entries()?.into_iter();
    entries
        .map(|(path, node)| Ok((path.to_owned(), read(node)?)))
        .collect()
}

fn rule(node: Node<'_>) -> Result<Rule, PlanError> {
    let mut members = node.members()?;
    let kind = members.need("type", "such as regex or integer")?;
    let kind = kind.text()?.to_owned();
    let values = match members.get("values") {
        None => Map::new(),
        Some(node) => node.object()?.clone(),
    };
    members.finish_strictly()?;
    Ok(Rule { kind, values })
}
