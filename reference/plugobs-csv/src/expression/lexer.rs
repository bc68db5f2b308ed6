//! The words, strings and signs of an expression.

use std::iter::Peekable;
use std::str::Chars;

use super::ExpressionError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    /// A string without its quotes, its escapes resolved.
    Text(String),
    /// A number as it was written.
    Number(String),
    Open,
    Close,
    Comma,
    Dollar,
    /// A character that begins none of the others.
    Stray(char),
    End,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    chars: Peekable<Chars<'a>>,
    /// Characters read so far.
    read: usize,
    /// Where the latest token begins, in characters from 1.
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            chars: text.chars().peekable(),
            read: 0,
            at: 1,
        }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    pub(super) fn next(&mut self) -> Result<Token, ExpressionError> {
        while self.bump_if(char::is_whitespace).is_some() {}
        self.at = self.read + 1;
        let Some(first) = self.bump() else {
            return Ok(Token::End);
        };
        Ok(match first {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '$' => Token::Dollar,
            '\'' => Token::Text(self.string()?),
            '-' | '.' | '0'..='9' => {
                Token::Number(self.run(first, |c| c.is_ascii_digit() || c == '.'))
            }
            c if c.is_alphabetic() => Token::Word(self.run(first, char::is_alphanumeric)),
            other => Token::Stray(other),
        })
    }

    /// The error that something else is due where the latest token begins.
    pub(super) fn due(&self, wanted: &'static str, found: &Token) -> ExpressionError {
        let found = match found {
            Token::Word(word) | Token::Number(word) => format!("`{word}`"),
            Token::Text(text) => format!("'{text}'"),
            Token::Open => "`(`".to_owned(),
            Token::Close => "`)`".to_owned(),
            Token::Comma => "`,`".to_owned(),
            Token::Dollar => "`$`".to_owned(),
            Token::Stray(c) => format!("`{c}`"),
            Token::End => "the end".to_owned(),
        };
        ExpressionError::Due {
            expression: self.text.to_owned(),
            wanted,
            found,
            at: self.at,
        }
    }

    fn bump(&mut self) -> Option<char> {
        self.bump_if(|_| true)
    }

    fn bump_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let c = self.chars.next_if(|c| wanted(*c))?;
        self.read += 1;
        Some(c)
    }

    fn run(&mut self, first: char, belongs: impl Fn(char) -> bool + Copy) -> String {
        let mut text = first.to_string();
        while let Some(c) = self.bump_if(belongs) {
            text.push(c);
        }
        text
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self) -> Result<String, ExpressionError> {
        let mut text = String::new();
        loop {
            match self.bump() {
                None => {
                    return Err(ExpressionError::UnclosedString {
                        expression: self.text.to_owned(),
                        at: self.at,
                    });
                }
                Some('\'') => return Ok(text),
                Some('\\') => self.escape(&mut text)?,
                Some(c) => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), ExpressionError> {
        match self.bump() {
            Some(c @ ('\'' | '\\')) => text.push(c),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let c = self.code_point().ok_or_else(|| ExpressionError::Escape {
                    expression: self.text.to_owned(),
                    at: self.at,
                })?;
                text.push(c);
            }
            Some(other) => text.extend(['\\', other]),
            // The string is not closed, which the caller finds out.
            None => {}
        }
        Ok(())
    }

    fn code_point(&mut self) -> Option<char> {
        let mut digits = String::new();
        if self.bump_if(|c| c == '{').is_some() {
            while let Some(c) = self.bump_if(|c| c.is_ascii_hexdigit()) {
                digits.push(c);
            }
            self.bump_if(|c| c == '}')?;
        } else {
            for _ in 0..4 {
                digits.push(self.bump_if(|c| c.is_ascii_hexdigit())?);
            }
        }
        u32::from_str_radix(&digits, 16)
            .ok()
            .and_then(char::from_u32)
    }
}
