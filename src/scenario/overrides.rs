//! `--set dotted.key=value`: values of the command line that replace values of the file.

use std::ops::Range;

use serde_json::Value as Json;
use toml::de::DeValue;

use super::diagnose::Problem;
use super::document::{Convert, Document, Entry, Node, Place, Source, Value, convert};
use super::extends::of_the_file;
use super::path::{PathStep, parse_path, show_path, show_table};
use super::shape::{Others, Shape};

/// Whether the schema has a text at a dotted path: a number there would become one.
pub(super) fn takes_text(path: &str, schema: &Json) -> bool {
    let walk = Walk { schema, key: Place::new(0, 0..0), steps: &parse_path(path) };
    matches!(walk.shape_at_end(), Shape::Text { .. })
}

/// Whether the schema has a whole number at a dotted path.
pub(super) fn takes_integer(path: &str, schema: &Json) -> bool {
    let walk = Walk { schema, key: Place::new(0, 0..0), steps: &parse_path(path) };
    matches!(walk.shape_at_end(), Shape::Number(number) if number.integer)
}

/// What an argument begins with that takes a key away.
pub(super) const UNSET: &str = "unset ";

/// The argument that takes a key away, as [`Document::set`] and [`load`](super::load) understand it: what `--unset KEY` is turned into, and
/// what the manifest lists among its overrides.
pub fn unset(key: &str) -> String {
    format!("{UNSET}{key}")
}

impl Document {
    /// Applies one `--set` argument, `dotted.key=value`.
    ///
    /// The value is TOML, or else a bare string; where the schema wants a string, quotes are never needed. Array elements
    /// are named `regions[0].pue` or `regions.0.pue`. Missing tables on the way are made. Where the schema has an enum,
    /// the new variant replaces the old one, and `scheduler.packing=best-fit` means `{ best-fit = {} }`. What the value
    /// may be is left to [`check_against_schema`](super::check_against_schema), which will point at the argument.
    ///
    /// An argument `unset KEY` (see [`unset`]) takes the key out of its table, as `--unset KEY` does.
    ///
    /// # Errors
    /// The argument has no `=`, no key or a value that opens a bracket or quote without closing it; or the path leads
    /// into something that is no table, or past the end of an array. The document still knows the argument, so that
    /// [`Document::report`] can show the problem.
    pub fn set(&mut self, argument: &str, schema: &Json) -> Result<(), Box<Problem>> {
        let source = self.sources.len();
        if let Some(key) = argument.strip_prefix(UNSET) {
            self.sources.push(Source { name: "command line".to_owned(), text: format!("--unset {key}") });
            let shift = "--unset ".len();
            return self.remove(key, &|r| Place::new(source, r.start + shift..r.end + shift));
        }
        self.sources.push(Source { name: "command line".to_owned(), text: format!("--set {argument}") });
        let shift = "--set ".len();
        self.assign(argument, &|r| Place::new(source, r.start + shift..r.end + shift), schema)
    }

    /// [`Document::set`] for an argument that stands elsewhere: `at` says where a range of its bytes does.
    pub(super) fn assign(
        &mut self,
        argument: &str,
        at: &dyn Fn(Range<usize>) -> Place,
        schema: &Json,
    ) -> Result<(), Box<Problem>> {
        let all = at(0..argument.len());
        let Some(equals) = find_equals(argument).filter(|&e| !argument[..e].trim().is_empty()) else {
            let problem = Problem::new("", format!("\"{argument}\" sets nothing"), "no key and value here", Some(all))
                .help("write KEY=VALUE, for example regions[0].pue=1.3");
            return Err(Box::new(problem));
        };
        let steps = parse_path(&argument[..equals]);
        let key = at(0..equals);
        if let Some(problem) = of_the_file(&steps, &key) {
            return Err(problem);
        }
        let mut walk = Walk { schema, key, steps: &steps };
        let text = &argument[equals + 1..];
        let end = walk.shape_at_end();
        let node = parse_value(text, at(equals + 1..argument.len()), &end, &show_path(&steps))?;
        walk.insert(&mut self.root, Shape::of(schema, schema), 0, node)
    }
}

/// The first `=` outside of quotes.
fn find_equals(argument: &str) -> Option<usize> {
    let mut quote = None;
    for (i, c) in argument.char_indices() {
        match (quote, c) {
            (None, '=') => return Some(i),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            _ => {}
        }
    }
    None
}

/// The value as TOML, as a bare string, or as the enum variant that it names.
fn parse_value(text: &str, place: Place, shape: &Shape<'_>, path: &str) -> Result<Node, Box<Problem>> {
    let trimmed = text.trim();
    let first = trimmed.chars().next();
    let bare = Node { place: place.clone(), value: Value::Text(trimmed.to_owned()) };
    let node = match DeValue::parse(text) {
        _ if matches!(shape, Shape::Text { .. }) && !matches!(first, Some('"' | '\'')) => bare,
        Ok(value) => {
            let mut problems = Vec::new();
            let node =
                convert(&value, &mut Convert { source: place.source, shift: place.start, problems: &mut problems });
            match problems.pop() {
                Some(problem) => return Err(Box::new(Problem { path: path.to_owned(), ..problem })),
                None => node,
            }
        }
        Err(error) if matches!(first, None | Some('"' | '\'' | '[' | '{')) => {
            let message = match first {
                None => format!("{path} has no value"),
                _ => format!("{path} has a value that is not TOML: {}", error.message()),
            };
            return Err(Box::new(Problem::new(path, message, "value expected here", Some(place))));
        }
        Err(_) => bare,
    };
    Ok(match (node.value, shape) {
        (Value::Text(name), Shape::Choice { words, tags }) if !tags.is_empty() && !words.contains(&name.as_str()) => {
            let empty = Node { place: node.place.clone(), value: Value::Table(Vec::new()) };
            let entry = Entry { key: name, key_place: node.place.clone(), node: empty };
            Node { place: node.place, value: Value::Table(vec![entry]) }
        }
        (value, _) => Node { place: node.place, value },
    })
}

/// A walk from the document's root to the place that is set.
struct Walk<'a> {
    schema: &'a Json,
    key: Place,
    steps: &'a [PathStep],
}

impl<'a> Walk<'a> {
    /// What the schema says of the value at the end of the path.
    fn shape_at_end(&self) -> Shape<'a> {
        self.steps.iter().fold(Shape::of(self.schema, self.schema), |shape, step| self.step(shape, step))
    }

    fn step(&self, shape: Shape<'a>, step: &PathStep) -> Shape<'a> {
        step_into(self.schema, shape, step)
    }

    fn insert(&mut self, at: &mut Node, shape: Shape<'a>, depth: usize, value: Node) -> Result<(), Box<Problem>> {
        let Some(step) = self.steps.get(depth) else {
            *at = value;
            return Ok(());
        };
        let inner = self.step(shape.clone(), step);
        if let Value::Array(nodes) = &mut at.value {
            let count = nodes.len();
            let element = index_of(step).and_then(|i| nodes.get_mut(i));
            return match element {
                Some(element) => self.insert(element, inner, depth + 1, value),
                None => Err(Box::new(self.past_the_end(depth, count))),
            };
        }
        let PathStep::Key(key) = step else { return Err(Box::new(self.no_way(depth, at, "no array"))) };
        if let Shape::Choice { tags, words } = shape.into_table() {
            let is_tag = |name: &str| tags.iter().any(|(tag, _)| *tag == name);
            match &mut at.value {
                Value::Table(entries) if is_tag(key) => entries.retain(|e| e.key == *key),
                Value::Text(word) if words.contains(&word.as_str()) || is_tag(word) => {
                    at.value = Value::Table(Vec::new())
                }
                _ => {}
            }
        }
        let Value::Table(entries) = &mut at.value else { return Err(Box::new(self.no_way(depth, at, "no table"))) };
        let index = entries.iter().position(|e| e.key == *key).unwrap_or_else(|| {
            let empty = Node { place: self.key.clone(), value: Value::Table(Vec::new()) };
            entries.push(Entry { key: key.clone(), key_place: self.key.clone(), node: empty });
            entries.len() - 1
        });
        if depth + 1 == self.steps.len() {
            entries[index].key_place = self.key.clone();
        }
        self.insert(&mut entries[index].node, inner, depth + 1, value)
    }

    fn past_the_end(&self, depth: usize, count: usize) -> Problem {
        let array = show_path(&self.steps[..depth]);
        let allowed = match count {
            0 => "it is empty".to_owned(),
            1 => "its only element is [0]".to_owned(),
            _ => format!("its elements are [0] to [{}]", count - 1),
        };
        let path = show_path(&self.steps[..=depth]);
        let message = format!("there is no {path}: {array} has {count} element{}", if count == 1 { "" } else { "s" });
        Problem::new(path, message, "no such element", Some(self.key.clone()))
            .help(format!("{allowed}; an override changes elements of an array, it adds none"))
    }

    fn no_way(&self, depth: usize, at: &Node, what: &str) -> Problem {
        let before = &self.steps[..depth];
        let place = &at.place;
        let message = format!("the key leads into {}, which is {what}", show_table(before));
        let mut problem =
            Problem::new(show_path(&self.steps[..=depth]), message, "leads nowhere", Some(self.key.clone()));
        if depth > 0 && place.source == 0 {
            problem = problem.help(format!("{} holds a plain value in the file", show_path(before)));
        }
        problem
    }
}

/// What the schema says of the value one step further in.
pub(super) fn step_into<'a>(schema: &'a Json, shape: Shape<'a>, step: &PathStep) -> Shape<'a> {
    let part = match (shape.into_table(), step) {
        (Shape::Table { properties, others, .. }, PathStep::Key(key)) => {
            let known = properties.iter().find(|(name, _)| name == key).map(|(_, part)| *part);
            known.or(if let Others::Each(part) = others { Some(part) } else { None })
        }
        (Shape::Choice { tags, .. }, PathStep::Key(key)) => {
            tags.iter().find(|(name, _)| name == key).map(|(_, part)| *part)
        }
        (Shape::List { first, rest, .. }, step) => {
            let index = index_of(step);
            index.and_then(|i| first.get(i).copied()).or(rest)
        }
        _ => None,
    };
    part.map_or(Shape::Any, |part| Shape::of(schema, part))
}

fn index_of(step: &PathStep) -> Option<usize> {
    match step {
        PathStep::Index(i) => Some(*i),
        PathStep::Key(key) => key.parse().ok(),
    }
}

#[cfg(test)]
mod tests;
