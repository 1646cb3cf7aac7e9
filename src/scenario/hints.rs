//! The advice under a problem: what was probably meant, and what to write.

use serde_json::Value as Json;

use super::document::Value;
use super::path::{PathStep, header, show_key};
use super::shape::Shape;

/// The place that advice is given for.
pub(super) struct Site<'a> {
    pub schema: &'a Json,
    pub path: &'a [PathStep],
}

impl Site<'_> {
    fn below(&self, key: &str) -> Vec<PathStep> {
        let mut path = self.path.to_vec();
        path.push(PathStep::Key(key.to_owned()));
        path
    }

    pub fn is_top_level_key(&self, key: &str) -> bool {
        self.has_key(self.schema, key)
    }

    /// Whether the table that `part` describes has this key.
    pub fn has_key(&self, part: &Json, key: &str) -> bool {
        match Shape::of(self.schema, part) {
            Shape::Table { properties, .. } => properties.iter().any(|(name, _)| *name == key),
            _ => false,
        }
    }

    /// `{}` or `{ zone = … }`, with the keys that must be there.
    fn body(&self, part: &Json) -> String {
        match Shape::of(self.schema, part) {
            Shape::Table { required, .. } if required.is_empty() => "{}".to_owned(),
            Shape::Table { required, .. } => {
                let keys: Vec<String> = required.iter().map(|k| format!("{k} = …")).collect();
                format!("{{ {} }}", keys.join(", "))
            }
            _ => "…".to_owned(),
        }
    }

    /// The array of tables under whose header a header of this path must stand.
    fn under(&self) -> String {
        match self.path.iter().rposition(|s| matches!(s, PathStep::Index(_))) {
            Some(i) => format!(" under its {}", header(&self.path[..i], true)),
            None => String::new(),
        }
    }
}

/// The candidate that was probably meant, if any is near enough.
pub fn did_you_mean<'c>(word: &str, candidates: &[&'c str]) -> Option<&'c str> {
    let plain = |s: &str| s.to_lowercase().replace('-', "_");
    let word = plain(word);
    candidates
        .iter()
        .map(|c| {
            let candidate = plain(c);
            let longer = word.chars().count().max(candidate.chars().count());
            let near = strsim::damerau_levenshtein(&word, &candidate) <= (longer / 3).max(1) && longer > 1;
            let alike = strsim::jaro_winkler(&word, &candidate);
            (if near { alike + 1.0 } else { alike }, *c)
        })
        .filter(|(score, _)| *score >= 0.88)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

/// A value in words: `the string "16"`, `a table`.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Text(text) if text.chars().count() > 40 => {
            format!("the string \"{}…\"", text.chars().take(40).collect::<String>())
        }
        Value::Text(text) => format!("the string \"{text}\""),
        Value::Integer(i) => format!("the integer {i}"),
        Value::Float(f) => format!("the number {f:?}"),
        Value::Boolean(b) => format!("the boolean {b}"),
        Value::Datetime(d) => format!("the date or time {d}"),
        Value::Array(_) => "an array".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// How to choose the variant `tag` of the enum at this place: as a table of its own, or inline.
pub(super) fn how_to_write(at: &Site<'_>, tag: &str, part: &Json) -> String {
    let table = header(&at.below(tag), false);
    let body = at.body(part);
    let inner = format!("{{ {} = {body} }}", show_key(tag));
    match at.path.last() {
        Some(PathStep::Key(key)) => {
            format!("write the table {table}{}\nor in one line: {} = {inner}", at.under(), show_key(key))
        }
        _ => format!("write {inner}"),
    }
}

/// What the enum at this place may hold, with an example.
pub(super) fn tag_hint(at: &Site<'_>, words: &[&str], tags: &[(&str, &Json)]) -> String {
    let all: Vec<&str> = words.iter().copied().chain(tags.iter().map(|(name, _)| *name)).collect();
    let example = tags.first().map(|(name, part)| format!("\nfor example {}", how_to_write(at, name, part)));
    format!("allowed: {}{}", all.join(", "), example.unwrap_or_default())
}

/// How to add a missing key, with the first sentence of its description.
pub(super) fn missing_hint(at: &Site<'_>, key: &str, part: &Json) -> String {
    let shown = show_key(key);
    let text = match Shape::of(at.schema, part) {
        Shape::Choice { words, tags } if !tags.is_empty() => {
            tag_hint(&Site { path: &at.below(key), ..*at }, &words, &tags)
        }
        Shape::Table { .. } => format!("add the table {}{}", header(&at.below(key), false), at.under()),
        Shape::List { rest: Some(part), .. } if matches!(Shape::of(at.schema, part), Shape::Table { .. }) => {
            format!("add {}{}, once per entry", header(&at.below(key), true), at.under())
        }
        shape => format!("add {shown} = … ({})", shape.wanted()),
    };
    match first_sentence(at.schema, part) {
        Some(sentence) => format!("{shown}: {sentence}\n{text}"),
        None => text,
    }
}

fn first_sentence<'s>(schema: &'s Json, part: &'s Json) -> Option<&'s str> {
    let target = || schema.pointer(part["$ref"].as_str()?.strip_prefix('#')?);
    let description = part["description"].as_str().or_else(|| target()?["description"].as_str())?;
    let end = description.find(". ").map_or(description.len(), |i| i + 1);
    Some(description[..end].lines().next().unwrap_or("").trim())
}
