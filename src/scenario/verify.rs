//! Walks a document against a JSON Schema and collects every problem, where serde would stop at the first.

use serde_json::Value as Json;

use super::diagnose::Problem;
use super::document::{Document, Entry, Node, Place, Value};
use super::hints::{Site, describe, did_you_mean, how_to_write, missing_hint, tag_hint};
use super::path::{PathStep, show_path, show_table};
use super::shape::{Number, Others, Shape, quoted};
use crate::grid::market_hint;

/// All structural problems of a document, in reading order: unknown and missing keys, wrong types, values out of range,
/// wrong names of enum variants. A document without any is accepted by serde for the type that the schema was derived from,
/// as far as [`unsupported`](super::unsupported) is empty for it.
pub fn check_against_schema(document: &Document, schema: &Json) -> Vec<Problem> {
    let mut check = Check { document, schema, path: Vec::new(), problems: Vec::new() };
    check.node(&document.root, None, &Shape::of(schema, schema));
    check.problems.sort_by(|a, b| a.place.cmp(&b.place));
    check.problems
}

struct Check<'a> {
    document: &'a Document,
    schema: &'a Json,
    path: Vec<PathStep>,
    problems: Vec<Problem>,
}

impl<'a> Check<'a> {
    fn problem(&mut self, message: String, label: impl Into<String>, place: Place, help: Option<String>) {
        let problem = Problem::new(show_path(&self.path), message, label, Some(place));
        self.problems.push(Problem { help, ..problem });
    }

    /// Runs `check` one step further down.
    fn below(&mut self, step: PathStep, check: impl FnOnce(&mut Self)) {
        self.path.push(step);
        check(self);
        self.path.pop();
    }

    fn site(&self) -> Site<'_> {
        Site { schema: self.schema, path: &self.path }
    }

    fn node(&mut self, node: &'a Node, key: Option<&Place>, shape: &Shape<'a>) {
        match (shape, &node.value) {
            (Shape::Any | Shape::Unknown(_), _) | (Shape::Boolean, Value::Boolean(_)) => {}
            (Shape::Table { properties, required, others }, Value::Table(entries)) => {
                let anchor = self.document.anchor(node, key);
                self.table(entries, anchor, properties, required, *others);
            }
            (Shape::Choice { words, .. }, Value::Text(word)) if words.contains(&word.as_str()) => {}
            (Shape::Choice { words, tags }, Value::Text(word)) => self.word(node, word, words, tags),
            (Shape::Choice { words, tags }, Value::Table(entries)) if !tags.is_empty() => {
                let anchor = self.document.anchor(node, key);
                self.choice(entries, anchor, words, tags);
            }
            (Shape::Choice { words, tags }, _) if !tags.is_empty() => {
                let help = tag_hint(&self.site(), words, tags);
                self.wrong_type(node, key, shape, Some(help));
            }
            (Shape::List { first, rest, min, max }, Value::Array(nodes)) => {
                self.count(nodes.len(), *min, *max, node, key);
                for (i, element) in nodes.iter().enumerate() {
                    if let Some(part) = first.get(i).copied().or(*rest) {
                        let shape = Shape::of(self.schema, part);
                        self.below(PathStep::Index(i), |check| check.node(element, None, &shape));
                    }
                }
            }
            (Shape::List { rest: Some(part), .. }, Value::Table(_)) => {
                let array = matches!(Shape::of(self.schema, part), Shape::Table { .. });
                let header = super::path::header(&self.path, true);
                let help = array.then(|| format!("write {header} with two brackets on each side, once per entry"));
                self.wrong_type(node, key, shape, help);
            }
            (Shape::Number(number), Value::Integer(_) | Value::Float(_)) => self.number(node, number),
            (Shape::Text { min, max, format }, Value::Text(text)) => self.text(node, text, *min, *max, *format),
            (Shape::Text { format: Some("date-time"), .. }, Value::Datetime(d)) if d.offset.is_some() => {}
            (Shape::Text { format: Some("date"), .. }, Value::Datetime(d)) if d.time.is_none() && d.date.is_some() => {}
            (Shape::Either(shapes), _) => self.either(node, key, shapes, shape),
            _ => {
                let help = retype(&node.value, shape);
                self.wrong_type(node, key, shape, help);
            }
        }
    }

    fn wrong_type(&mut self, node: &Node, key: Option<&Place>, shape: &Shape<'_>, help: Option<String>) {
        let message = format!("{} must be {}, found {}", show_path(&self.path), shape.wanted(), describe(&node.value));
        let place = self.document.anchor(node, key);
        self.problem(message, format!("found {}", describe(&node.value)), place, help);
    }

    fn table(
        &mut self,
        entries: &'a [Entry],
        anchor: Place,
        properties: &[(&'a str, &'a Json)],
        required: &[&'a str],
        others: Others<'a>,
    ) {
        let missing: Vec<&str> = required.iter().copied().filter(|r| entries.iter().all(|e| e.key != *r)).collect();
        let mut misspelt = Vec::new();
        for entry in entries {
            let known = properties.iter().find(|(name, _)| *name == entry.key).map(|(_, part)| *part);
            let part = match (known, others) {
                (Some(part), _) | (None, Others::Each(part)) => part,
                (None, Others::Free) => continue,
                (None, Others::Forbidden) => {
                    let absent: Vec<&str> =
                        properties.iter().map(|p| p.0).filter(|p| entries.iter().all(|e| e.key != *p)).collect();
                    let all: Vec<&str> = properties.iter().map(|p| p.0).collect();
                    let guess = did_you_mean(&entry.key, &absent).or_else(|| did_you_mean(&entry.key, &all));
                    misspelt.extend(guess);
                    self.unknown_key(entry, properties, guess);
                    continue;
                }
            };
            let shape = Shape::of(self.schema, part);
            self.below(PathStep::Key(entry.key.clone()), |check| {
                check.node(&entry.node, Some(&entry.key_place), &shape)
            });
        }
        for name in missing.into_iter().filter(|m| !misspelt.contains(m)) {
            let part = properties.iter().find(|(key, _)| *key == name).map(|(_, part)| *part);
            let help = part.map(|part| missing_hint(&self.site(), name, part));
            let message = format!("{} needs the key \"{name}\"", show_table(&self.path));
            let label = format!("\"{name}\" is missing");
            let anchor = anchor.clone();
            self.below(PathStep::Key(name.to_owned()), |check| check.problem(message, label, anchor, help));
        }
    }

    fn unknown_key(&mut self, entry: &Entry, properties: &[(&str, &Json)], guess: Option<&str>) {
        let message = format!("unknown key \"{}\" in {}", entry.key, show_table(&self.path));
        let mut help = market_hint(&entry.key).map(|m| format!("{m}\n")).unwrap_or_default();
        help += &guess.map(|g| format!("did you mean \"{g}\"?\n")).unwrap_or_default();
        if guess.is_none() && !self.path.is_empty() && self.site().is_top_level_key(&entry.key) {
            help.push_str(&format!("\"{}\" belongs to the top level: put it above the first [table]\n", entry.key));
        }
        match properties {
            [] => help.push_str("this table has no keys"),
            _ => {
                let names: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
                help.push_str(&format!("allowed keys: {}", names.join(", ")));
            }
        }
        let place = entry.key_place.clone();
        self.below(PathStep::Key(entry.key.clone()), |check| {
            check.problem(message, "not a key of this table", place, Some(help))
        });
    }

    /// A word where a word or a table is wanted.
    fn word(&mut self, node: &Node, word: &str, words: &[&str], tags: &[(&str, &Json)]) {
        let path = show_path(&self.path);
        let place = node.place.clone();
        let names: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
        if let Some((name, part)) = tags.iter().find(|(name, _)| *name == word) {
            let help = how_to_write(&self.site(), name, part);
            let message = format!("{path} must be a table, found the string \"{word}\"");
            return self.problem(message, "a name alone is not enough", place, Some(help));
        }
        let all: Vec<&str> = words.iter().copied().chain(names).collect();
        let mut help = market_hint(word).map(|m| format!("{m}\n")).unwrap_or_default();
        if let Some(guess) = did_you_mean(word, &all) {
            help.push_str(&format!("did you mean \"{guess}\"?\n"));
            if let Some((name, part)) = tags.iter().find(|(name, _)| *name == guess) {
                help.push_str(&format!("{}\n", how_to_write(&self.site(), name, part)));
            }
        }
        help.push_str(&format!("allowed: {}", all.join(", ")));
        self.problem(format!("{path} cannot be \"{word}\""), "no such name", place, Some(help));
    }

    /// A table where exactly one of the tagged tables is wanted.
    fn choice(&mut self, entries: &'a [Entry], anchor: Place, words: &[&str], tags: &[(&'a str, &'a Json)]) {
        let tag = |entry: &Entry| tags.iter().find(|(name, _)| *name == entry.key).map(|(_, part)| *part);
        let chosen: Vec<&Entry> = entries.iter().filter(|e| tag(e).is_some()).collect();
        for entry in entries {
            let (key, place) = (entry.key.clone(), Some(&entry.key_place));
            match tag(entry) {
                Some(part) => {
                    let shape = Shape::of(self.schema, part);
                    self.below(PathStep::Key(key), |check| check.node(&entry.node, place, &shape));
                }
                None => self.unknown_tag(entry, &chosen, words, tags),
            }
        }
        if let [first, .., second] = chosen[..] {
            let names: Vec<&str> = chosen.iter().map(|e| e.key.as_str()).collect();
            let message = format!("{} holds {} choices: {}", show_table(&self.path), names.len(), quoted(&names));
            let help = "keep one of them and delete the others".to_owned();
            let (first, place) = (first.key_place.clone(), second.key_place.clone());
            self.problem(message, "one choice too many", place, Some(help));
            if let Some(problem) = self.problems.last_mut() {
                problem.also.push((first, "first choice".to_owned()));
            }
        }
        if entries.is_empty() {
            let help = tag_hint(&self.site(), words, tags);
            self.problem(format!("{} is empty", show_table(&self.path)), "one choice is needed", anchor, Some(help));
        }
    }

    fn unknown_tag(&mut self, entry: &Entry, chosen: &[&Entry], words: &[&str], tags: &[(&str, &Json)]) {
        let names: Vec<&str> = words.iter().copied().chain(tags.iter().map(|(name, _)| *name)).collect();
        let (site, key) = (self.site(), entry.key.as_str());
        let named = match &entry.node.value {
            Value::Text(text) => tags.iter().find(|(name, _)| name == text),
            _ => None,
        };
        let owners: Vec<&str> = tags
            .iter()
            .filter(|(name, part)| {
                (chosen.is_empty() || chosen.iter().any(|e| e.key == *name)) && site.has_key(part, key)
            })
            .map(|(name, _)| *name)
            .collect();
        let mut help = match (named, did_you_mean(key, &names), &owners[..]) {
            (Some((name, part)), ..) => how_to_write(&site, name, part),
            (None, Some(word), _) if word == key => format!("write {} = \"{word}\"", show_path(&self.path)),
            (None, Some(guess), _) => format!("did you mean \"{guess}\"?"),
            (None, None, []) => String::new(),
            (None, None, [owner]) => {
                let mut path = self.path.clone();
                path.push(PathStep::Key((*owner).to_owned()));
                format!("\"{key}\" belongs into {}", show_table(&path))
            }
            (None, None, owners) => format!("\"{key}\" is a key of {}: name one of them first", owners.join(", ")),
        };
        if !help.is_empty() {
            help.push('\n');
        }
        help.push_str(&format!("allowed: {}", names.join(", ")));
        let message = format!("{} cannot hold \"{}\"", show_table(&self.path), entry.key);
        let place = self.document.anchor(&entry.node, Some(&entry.key_place));
        let place = if matches!(entry.node.value, Value::Table(_)) { place } else { entry.key_place.clone() };
        self.below(PathStep::Key(entry.key.clone()), |check| check.problem(message, "no such name", place, Some(help)));
    }

    fn number(&mut self, node: &Node, number: &Number) {
        let path = show_path(&self.path);
        let place = node.place.clone();
        let (x, shown) = match node.value {
            Value::Integer(i) => (i as f64, i.to_string()),
            Value::Float(f) => (f, format!("{f:?}")),
            _ => return,
        };
        let shown = if x.is_nan() { "nan".to_owned() } else { shown };
        let wanted = Shape::Number(number.clone()).wanted();
        if number.integer && matches!(node.value, Value::Float(_)) {
            let whole = x.fract() == 0.0 && x.abs() < 1e15;
            let help = whole.then(|| format!("write {x:.0} without a decimal point"));
            self.problem(format!("{path} must be {wanted}, found the number {shown}"), "not an integer", place, help);
        } else if x.is_nan() || (x.is_infinite() && !number.infinite) {
            self.problem(format!("{path} must be {wanted}, found {shown}"), "not a finite number", place, None);
        } else if !number.contains(x) {
            let help = (!x.is_infinite() && number.infinite).then(|| "inf is allowed too".to_owned());
            self.problem(format!("{path} must be {wanted}, found {shown}"), "out of range", place, help);
        }
    }

    fn text(&mut self, node: &Node, text: &str, min: usize, max: usize, format: Option<&str>) {
        let path = show_path(&self.path);
        let place = node.place.clone();
        let length = text.chars().count();
        let wrong = match format {
            Some("date-time") if text.parse::<jiff::Timestamp>().is_err() => Some("2022-06-06T00:00:00Z"),
            Some("date") if text.parse::<jiff::civil::Date>().is_err() => Some("2022-06-06"),
            _ => None,
        };
        if length < min && length == 0 {
            self.problem(format!("{path} must not be empty"), "empty string", place, None);
        } else if length < min || length > max {
            let wanted = if min == max { min.to_string() } else { format!("{min} to {max}") };
            let message = format!("{path} must have {wanted} characters, found {length}");
            self.problem(message, "wrong length", place, None);
        } else if let Some(example) = wrong {
            let message = format!("{path} must be {}, found \"{text}\"", Shape::Text { min, max, format }.wanted());
            self.problem(message, "cannot be read", place, Some(format!("write it like \"{example}\"")));
        }
    }

    fn count(&mut self, found: usize, min: usize, max: usize, node: &Node, key: Option<&Place>) {
        if found >= min && found <= max {
            return;
        }
        let wanted = match (min, max) {
            (a, b) if a == b => format!("exactly {a}"),
            (a, usize::MAX) => format!("at least {a}"),
            (a, b) => format!("{a} to {b}"),
        };
        let message =
            format!("{} must have {wanted} element{}, found {found}", show_path(&self.path), plural(min.max(1)));
        let place = self.document.anchor(node, key);
        self.problem(message, format!("{found} element{} here", plural(found)), place, None);
    }

    /// Of several shapes, the first that fits, or the problems of the one that comes nearest.
    fn either(&mut self, node: &'a Node, key: Option<&Place>, shapes: &[Shape<'a>], all: &Shape<'a>) {
        let before = self.problems.len();
        let mut nearest: Option<Vec<Problem>> = None;
        for shape in shapes {
            self.node(node, key, shape);
            let found = self.problems.split_off(before);
            if found.is_empty() {
                return;
            }
            let kind = |p: &Problem| p.path == show_path(&self.path) && p.label.starts_with("found ");
            if !found.iter().any(kind) && nearest.as_ref().is_none_or(|n| found.len() < n.len()) {
                nearest = Some(found);
            }
        }
        match nearest {
            Some(problems) => self.problems.extend(problems),
            None => self.wrong_type(node, key, all, None),
        }
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// What to write instead of a value of the wrong type.
fn retype(value: &Value, shape: &Shape<'_>) -> Option<String> {
    match (value, shape) {
        (Value::Text(text), Shape::Number(n)) => {
            let number: f64 = text.trim().parse().ok()?;
            let fits = n.contains(number) && (!n.integer || number.fract() == 0.0);
            fits.then(|| format!("remove the quotes: {}", text.trim()))
        }
        (Value::Text(text), Shape::Boolean) => {
            matches!(text.as_str(), "true" | "false").then(|| format!("remove the quotes: {text}"))
        }
        (Value::Integer(i @ 0..=1), Shape::Boolean) => Some(format!("write {}", *i == 1)),
        (Value::Integer(_) | Value::Float(_) | Value::Boolean(_), Shape::Text { .. }) => {
            Some("put it in quotes".to_owned())
        }
        (Value::Datetime(d), Shape::Text { format: None, .. }) => Some(format!("put it in quotes: \"{d}\"")),
        (Value::Datetime(d), Shape::Text { format: Some("date-time"), .. }) if d.date.is_some() && d.time.is_some() => {
            Some(format!("say in which zone, for example UTC: {d}Z"))
        }
        (Value::Datetime(d), Shape::Text { format: Some("date-time"), .. }) if d.date.is_some() => {
            Some(format!("give the time too: {d}T00:00:00Z"))
        }
        (Value::Text(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_), Shape::List { .. }) => {
            Some("put it in brackets: [ … ]".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
