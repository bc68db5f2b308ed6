//! The same for a single value.

use crate::error::Error;
use crate::generator::{Context, Generator};
use crate::random::Random;
use crate::rule::{Rule, Violation};
use crate::spec::Spec;

/// Holds one value against one rule; the inner result says whether it keeps it.
///
/// # Errors
/// The rule cannot be applied; `path` is only for the message.
pub fn match_field(
    path: &str,
    rule: &Spec,
    expected: &str,
    actual: &str,
) -> Result<Result<(), Violation>, Error> {
    let check = Rule::from_spec(rule)
        .and_then(|rule| rule.compile())
        .map_err(|source| Error::Rule {
            path: path.to_owned(),
            source,
        })?;
    Ok(check.hold(expected, actual))
}

/// Generates one value; where the generator does not apply, the example stands.
///
/// # Errors
/// The generator cannot be applied; `path` is only for the message.
pub fn generate_field(
    path: &str,
    generator: &Spec,
    example: &str,
    context: &Context,
    random: &mut Random<'_>,
) -> Result<String, Error> {
    let on_generator = |source| Error::Generator {
        path: path.to_owned(),
        source,
    };
    let generator = Generator::from_spec(generator).map_err(on_generator)?;
    if !generator.applies(context.mode) {
        return Ok(example.to_owned());
    }
    generator.generate(context, random).map_err(on_generator)
}
