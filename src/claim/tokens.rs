//! The words of a claim: numbers, names, signs.

use super::{ClaimError, Operator, Place};

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A number.
    Number(f64),
    /// A name; whether it stood in quotes.
    Name(String, bool),
    /// A comparison.
    Compare(Operator),
    /// One of `+ - * / % ( ) ,`.
    Sign(char),
    /// The end of the text.
    End,
}

const SIGNS: &str = "+-*/%(),";

/// Whether a character may stand inside a name without quotes. A hyphen may too, between two of these.
fn is_inner(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// The length of the number at the start of a text: digits, a point, digits, an exponent.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        match digits(end + 1 + sign) {
            0 => {}
            n => end += 1 + sign + n,
        }
    }
    end
}

/// The length of the name at the start of a text: letters, digits, `_` and `.`, and hyphens between them.
fn name_length(text: &str) -> usize {
    let mut end = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let hyphen = c == '-' && end > 0 && rest.peek().is_some_and(|&next| is_inner(next));
        if !is_inner(c) && !hyphen {
            break;
        }
        end += c.len_utf8();
    }
    end
}

/// Whether a name may stand without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let begins = |c: char| c.is_alphabetic() || c == '_';
    name.starts_with(begins) && name_length(name) == name.len() && name != "and"
}

/// The words of a text with their places; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Place)>, ClaimError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = match Operator::ALL.iter().find(|(sign, _)| rest.starts_with(sign)) {
            Some((sign, operator)) => (Token::Compare(*operator), sign.len()),
            None if SIGNS.contains(c) => (Token::Sign(c), c.len_utf8()),
            None if c == '"' || c == '\'' => quoted(text, at, c)?,
            None if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|d: char| d.is_ascii_digit()) => {
                number(text, at)?
            }
            None if c.is_alphanumeric() || c == '_' => {
                let length = name_length(rest);
                (Token::Name(rest[..length].to_owned(), false), length)
            }
            None => {
                let place = Place(at..at + c.len_utf8());
                return Err(ClaimError::new(text, &place, format!("\"{c}\" means nothing here"), hint(rest, c)));
            }
        };
        found.push((token, Place(at..at + length)));
        at += length;
    }
    let end = text.trim_end().len();
    found.push((Token::End, Place(end..end)));
    Ok(found)
}

/// The name in quotes that begins at a place; a backslash takes the next character as it is.
fn quoted(text: &str, from: usize, quote: char) -> Result<(Token, usize), ClaimError> {
    let mut name = String::new();
    let mut rest = text[from + 1..].char_indices();
    while let Some((i, c)) = rest.next() {
        match c {
            '\\' => name.extend(rest.next().map(|(_, c)| c)),
            _ if c == quote && name.is_empty() => {
                return Err(ClaimError::new(
                    text,
                    &Place(from..from + i + 2),
                    "a name is empty",
                    "write a name in the quotes",
                ));
            }
            _ if c == quote => return Ok((Token::Name(name, true), i + 2)),
            _ => name.push(c),
        }
    }
    let help = format!("write {quote} after the name");
    Err(ClaimError::new(text, &Place(from..text.len()), "a quote is not closed", help))
}

/// The number that begins at a place, or the name that begins with digits.
fn number(text: &str, from: usize) -> Result<(Token, usize), ClaimError> {
    let rest = &text[from..];
    let length = number_length(rest);
    if rest[length..].starts_with(|c: char| is_inner(c)) {
        let length = name_length(rest);
        return Ok((Token::Name(rest[..length].to_owned(), false), length));
    }
    let digits = &rest[..length];
    match digits.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok((Token::Number(x), length)),
        _ => {
            let message = format!("\"{digits}\" is not a number that can be written in 64 bits");
            Err(ClaimError::new(text, &Place(from..from + length), message, "write it like 0.9, 1e-3 or 1 %"))
        }
    }
}

fn hint(rest: &str, c: char) -> &'static str {
    match c {
        '=' if rest.starts_with("=<") => "write <=",
        '=' if rest.starts_with("=>") => "write >=",
        '=' => "write == for \"equals\"",
        '≤' => "write <=",
        '≥' => "write >=",
        '≠' => "write !=",
        '&' => "write and between two claims",
        '|' => "write two claims: each of them has to hold",
        '!' => "write != for \"is not\"",
        '×' | '·' => "write * for a product",
        '−' | '–' => "write - for a difference",
        _ => "a name with such a character stands in quotes: sci(\"my run\")",
    }
}
