//! Reading expressions by recursive descent.

use super::lexer::{Lexer, Token};
use super::{COLLECTION_KEYWORDS, Definition, ExpressionError};
use crate::generator::Generator;
use crate::rule::{Rule, RuleError};

/// Reads an expression.
///
/// # Errors
/// It is not well formed, or defines a rule that a CSV value cannot have.
pub fn parse(expression: &str) -> Result<Definition, ExpressionError> {
    let mut parser = Parser {
        lexer: Lexer::new(expression),
    };
    let mut definition = parser.definition()?;
    loop {
        match parser.lexer.next()? {
            Token::End => break,
            Token::Comma => {
                let other = parser.definition()?;
                definition.rules.extend(other.rules);
                if definition.example.is_empty() {
                    definition.example = other.example;
                }
                definition.generator = definition.generator.or(other.generator);
            }
            found => return Err(parser.lexer.due("a comma or the end", &found)),
        }
    }
    for rule in &definition.rules {
        rule.compile().map_err(|source| parser.rule_error(source))?;
    }
    Ok(definition)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
}

/// An example, and the generator that comes with it where it is taken from a provider state.
struct Example {
    text: String,
    generator: Option<Generator>,
}

impl Parser<'_> {
    fn definition(&mut self) -> Result<Definition, ExpressionError> {
        let found = self.lexer.next()?;
        let keyword = match &found {
            Token::Word(word) => word.as_str(),
            _ => "",
        };
        match keyword {
            "matching" => {
                self.expect(Token::Open, "an opening bracket")?;
                let definition = self.matching()?;
                self.expect(Token::Close, "a closing bracket")?;
                Ok(definition)
            }
            "notEmpty" => {
                self.expect(Token::Open, "an opening bracket")?;
                let example = self.example(Wanted::Any)?;
                self.expect(Token::Close, "a closing bracket")?;
                Ok(example.with(Rule::NotEmpty))
            }
            keyword if COLLECTION_KEYWORDS.contains(&keyword) => Err(ExpressionError::Collection {
                expression: self.lexer.text().to_owned(),
                keyword: keyword.to_owned(),
            }),
            _ => Err(self.lexer.due("`matching` or `notEmpty`", &found)),
        }
    }

    /// What stands between the brackets of `matching(…)`.
    fn matching(&mut self) -> Result<Definition, ExpressionError> {
        let found = self.lexer.next()?;
        let kind = match &found {
            Token::Word(kind) => kind.clone(),
            Token::Dollar => {
                return Err(ExpressionError::Reference {
                    name: self.string()?,
                    expression: self.lexer.text().to_owned(),
                });
            }
            _ => {
                return Err(self
                    .lexer
                    .due("a matching rule such as `type` or `regex`", &found));
            }
        };
        self.expect(Token::Comma, "a comma")?;
        match kind.as_str() {
            "equalTo" => Ok(self.example(Wanted::Any)?.with(Rule::Equality)),
            "type" => Ok(self.example(Wanted::Any)?.with(Rule::Type)),
            "number" => Ok(self.example(Wanted::Number)?.with(Rule::Number)),
            "integer" => Ok(self.example(Wanted::Integer)?.with(Rule::Integer)),
            "decimal" => Ok(self.example(Wanted::Number)?.with(Rule::Decimal)),
            "boolean" => Ok(self.example(Wanted::Boolean)?.with(Rule::Boolean)),
            "semver" => Ok(self.example(Wanted::String)?.with(Rule::Semver)),
            "include" => {
                let example = self.example(Wanted::String)?;
                let rule = Rule::Include(example.text.clone());
                Ok(example.with(rule))
            }
            "regex" => {
                let regex = self.string()?;
                self.expect(Token::Comma, "a comma")?;
                Ok(self.example(Wanted::String)?.with(Rule::Regex(regex)))
            }
            "date" | "time" | "datetime" => self.clock(&kind),
            _ => Err(self.rule_error(RuleError::Unsupported { kind })),
        }
    }

    /// A date or time also brings a generator, so that the example can follow the calendar.
    fn clock(&mut self, kind: &str) -> Result<Definition, ExpressionError> {
        let format = self.string()?;
        self.expect(Token::Comma, "a comma")?;
        let example = self.example(Wanted::String)?;
        let given = (!format.is_empty()).then(|| format.clone());
        let (rule, generator) = match kind {
            "date" => (Rule::Date(format), Generator::date(given)),
            "time" => (Rule::Time(format), Generator::time(given)),
            _ => (Rule::DateTime(format), Generator::datetime(given)),
        };
        // An empty format stands for the default one; reading the rule back puts it in.
        let rule = Rule::from_spec(&rule.spec()).map_err(|source| self.rule_error(source))?;
        let mut definition = example.with(rule);
        definition.generator.get_or_insert(generator);
        Ok(definition)
    }

    fn example(&mut self, wanted: Wanted) -> Result<Example, ExpressionError> {
        let found = self.lexer.next()?;
        if matches!(&found, Token::Word(word) if word == "fromProviderState") {
            return self.provider_state(wanted);
        }
        let text = self.primitive(found, wanted)?;
        Ok(Example {
            text,
            generator: None,
        })
    }

    /// `fromProviderState('expression', example)`: the provider's state replaces the example.
    fn provider_state(&mut self, wanted: Wanted) -> Result<Example, ExpressionError> {
        self.expect(Token::Open, "an opening bracket")?;
        let expression = self.string()?;
        self.expect(Token::Comma, "a comma")?;
        let found = self.lexer.next()?;
        let data_type = match &found {
            Token::Number(number) if number.contains('.') => "DECIMAL",
            Token::Number(_) => "INTEGER",
            Token::Word(word) if word != "null" => "BOOLEAN",
            _ => "STRING",
        };
        // The example of a regular expression may be a number here: the state's value is text in the end.
        let wanted = if wanted == Wanted::String {
            Wanted::Any
        } else {
            wanted
        };
        let text = self.primitive(found, wanted)?;
        self.expect(Token::Close, "a closing bracket")?;
        Ok(Example {
            text,
            generator: Some(Generator::ProviderState {
                expression,
                data_type: Some(data_type.to_owned()),
            }),
        })
    }

    fn primitive(&mut self, found: Token, wanted: Wanted) -> Result<String, ExpressionError> {
        match found {
            Token::Text(text) if wanted.allows_text() => Ok(text),
            Token::Word(word) if word == "null" && wanted.allows_text() => Ok(String::new()),
            Token::Word(word)
                if matches!(word.as_str(), "true" | "false") && wanted.allows_boolean() =>
            {
                Ok(word)
            }
            Token::Number(number) if wanted.allows_number(&number) => Ok(number),
            found => Err(self.lexer.due(wanted.name(), &found)),
        }
    }

    fn string(&mut self) -> Result<String, ExpressionError> {
        let found = self.lexer.next()?;
        self.primitive(found, Wanted::String)
    }

    fn expect(&mut self, token: Token, wanted: &'static str) -> Result<(), ExpressionError> {
        let found = self.lexer.next()?;
        if found == token {
            Ok(())
        } else {
            Err(self.lexer.due(wanted, &found))
        }
    }

    fn rule_error(&self, source: RuleError) -> ExpressionError {
        ExpressionError::Rule {
            expression: self.lexer.text().to_owned(),
            source,
        }
    }
}

impl Example {
    fn with(self, rule: Rule) -> Definition {
        Definition {
            example: self.text,
            rules: vec![rule],
            generator: self.generator,
        }
    }
}

/// Which kinds of value an example may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Any,
    String,
    Number,
    Integer,
    Boolean,
}

impl Wanted {
    fn allows_text(self) -> bool {
        matches!(self, Self::Any | Self::String)
    }

    fn allows_number(self, number: &str) -> bool {
        let kind = match self {
            Self::Any | Self::Number => Rule::Number,
            Self::Integer => Rule::Integer,
            Self::String | Self::Boolean => return false,
        };
        kind.compile()
            .is_ok_and(|check| check.hold("", number).is_ok())
    }

    fn allows_boolean(self) -> bool {
        matches!(self, Self::Any | Self::Boolean)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "a value: a string between single quotes, a number, true, false or null",
            Self::String => "a string between single quotes",
            Self::Number => "a number",
            Self::Integer => "a number without a fraction",
            Self::Boolean => "true or false",
        }
    }
}
