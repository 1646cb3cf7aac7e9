//! A parsed scenario text that knows where everything stands.
//!
//! The tree is our own because values come from several texts: the file and the `--set` arguments of the command line.
//! Every key and value keeps its [`Place`], so that a problem found much later still points at the right text.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::diagnose::{Problem, Report};
use super::path::{PathStep, parse_path};

/// One text that values come from: the scenario file, a file that it extends, or one `--set` argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file's path, or `command line`.
    pub name: String,
    /// The text that the ranges of a [`Place`] count in.
    pub text: String,
}

/// A range of bytes in one of a document's sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 0 is the file; then come the files that it extends, then the arguments of the command line.
    pub source: usize,
    /// First byte of the range.
    pub start: usize,
    /// One past the last byte of the range.
    pub end: usize,
}

impl Place {
    pub(super) fn new(source: usize, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end }
    }

    /// The range of bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Datetime(Datetime),
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

/// A value and where it stands. A table written with a header stands at the header.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

/// A parsed scenario text, with the overrides of the command line, that knows where everything stands.
#[derive(Debug, Clone)]
pub struct Document {
    pub(super) sources: Vec<Source>,
    pub(super) root: Node,
}

impl Document {
    /// Parses TOML text; `name` is the file's path as it shall appear in messages.
    ///
    /// # Errors
    /// Every key that is given twice, up to the first place that is not TOML at all.
    pub fn parse(name: &str, text: impl Into<String>) -> Result<Self, Report> {
        let mut document =
            Self { sources: Vec::new(), root: Node { place: Place::new(0, 0..0), value: Value::Table(Vec::new()) } };
        match document.add_file(name, &text.into()) {
            Ok(root) => Ok(Self { root, ..document }),
            Err(problems) => Err(document.report(problems)),
        }
    }

    /// Adds the text of a file to the sources and parses it; the values are the caller's.
    pub(super) fn add_file(&mut self, name: &str, text: &str) -> Result<Node, Vec<Problem>> {
        let source = self.sources.len();
        self.sources.push(Source { name: name.to_owned(), text: text.to_owned() });
        let mut problems = Vec::new();
        let (table, mut errors) = DeTable::parse_recoverable(text);
        errors.sort_by_key(|e| e.span().map(|s| s.start));
        for error in errors {
            let place = Place::new(source, error.span().unwrap_or(0..0));
            problems.push(syntax_problem(text, error.message(), place));
            // The parser goes on after an error, but only keys given twice leave it in a sane state.
            if error.message() != "duplicate key" {
                break;
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let entries = convert_table(table.get_ref(), &mut Convert { source, shift: 0, problems: &mut problems });
        let root = Node { place: Place::new(source, 0..0), value: Value::Table(entries) };
        if problems.is_empty() { Ok(root) } else { Err(problems) }
    }

    /// The texts that [`Place::source`] counts: the file, those it extends, then every `--set` argument.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The problems together with the texts they point into, in reading order: an error that can be shown.
    pub fn report(&self, problems: Vec<Problem>) -> Report {
        Report::new(self.sources.clone(), problems)
    }

    /// Where the value at a dotted path such as `regions[3].hosts[0].count` stands, or else the key or header of its
    /// nearest ancestor that exists. `None` if not even the first key exists.
    pub fn place_of(&self, path: &str) -> Option<Place> {
        self.place_at(&parse_path(path))
    }

    /// [`Document::place_of`] for a path taken apart already.
    pub fn place_at(&self, path: &[PathStep]) -> Option<Place> {
        let (mut node, mut place) = (&self.root, None);
        for step in path {
            let (next, key) = match (step, &node.value) {
                (PathStep::Key(name), Value::Table(entries)) => match entries.iter().find(|e| &e.key == name) {
                    Some(entry) => (&entry.node, Some(&entry.key_place)),
                    None => break,
                },
                (PathStep::Index(i), Value::Array(nodes)) => match nodes.get(*i) {
                    Some(element) => (element, None),
                    None => break,
                },
                _ => break,
            };
            node = next;
            place = Some(self.anchor(node, key));
        }
        place
    }

    /// A problem at a dotted path that a later check has found.
    pub fn problem_at(&self, path: &str, message: impl Into<String>, label: impl Into<String>) -> Problem {
        Problem::new(path, message, label, self.place_of(path))
    }

    /// Where to point for a value: at the header of a table, at the key of a value that takes several lines, else at the
    /// value itself.
    pub(super) fn anchor(&self, node: &Node, key: Option<&Place>) -> Place {
        let text = self.sources[node.place.source].text.get(node.place.range()).unwrap_or("");
        let by_key = match node.value {
            Value::Table(_) => !text.starts_with('['),
            _ => text.contains('\n'),
        };
        match key {
            Some(key) if by_key => key.clone(),
            _ => {
                let line = text.find('\n').unwrap_or(text.len());
                Place::new(node.place.source, node.place.start..node.place.start + line)
            }
        }
    }

    /// The merged values, without places. A date or time becomes the string that it was written as in RFC 3339.
    pub fn to_table(&self) -> toml::Table {
        match to_toml(&self.root) {
            toml::Value::Table(table) => table,
            _ => toml::Table::new(),
        }
    }

    /// Turns the document into a type.
    ///
    /// # Errors
    /// The first thing that serde does not accept. If the type's schema was checked before, only conditions that a schema
    /// cannot express remain.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Box<Problem>> {
        toml::Value::Table(self.to_table()).try_into::<T>().map_err(|error| {
            let message = error.to_string().trim_end().replace('\n', " ");
            let alone = self.sources.len() == 1;
            let place = match toml::from_str::<T>(&self.sources[0].text) {
                Err(located) if alone => located.span().map(|range| Place::new(0, range)),
                _ => None,
            };
            Box::new(Problem::new("", message, "not accepted", place))
        })
    }
}

fn to_toml(node: &Node) -> toml::Value {
    match &node.value {
        Value::Text(s) => toml::Value::String(s.clone()),
        Value::Integer(i) => toml::Value::Integer(*i),
        Value::Float(f) => toml::Value::Float(*f),
        Value::Boolean(b) => toml::Value::Boolean(*b),
        Value::Datetime(d) => toml::Value::String(d.to_string()),
        Value::Array(nodes) => toml::Value::Array(nodes.iter().map(to_toml).collect()),
        Value::Table(entries) => {
            toml::Value::Table(entries.iter().map(|e| (e.key.clone(), to_toml(&e.node))).collect())
        }
    }
}

/// Where converted values come from: `shift` is added to every range.
pub(super) struct Convert<'a> {
    pub source: usize,
    pub shift: usize,
    pub problems: &'a mut Vec<Problem>,
}

impl Convert<'_> {
    fn place(&self, range: Range<usize>) -> Place {
        Place::new(self.source, range.start + self.shift..range.end + self.shift)
    }
}

fn convert_table(table: &DeTable<'_>, to: &mut Convert<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().clone().into_owned(),
            key_place: to.place(key.span()),
            node: convert(value, to),
        })
        .collect();
    entries.sort_by_key(|e| e.key_place.start);
    entries
}

/// Copies a parsed value into the tree; numbers beyond 64 bits become problems.
pub(super) fn convert(value: &Spanned<DeValue<'_>>, to: &mut Convert<'_>) -> Node {
    let place = to.place(value.span());
    let value = match value.get_ref() {
        DeValue::String(s) => Value::Text(s.clone().into_owned()),
        DeValue::Integer(i) => Value::Integer(i64::from_str_radix(i.as_str(), i.radix()).unwrap_or_else(|_| {
            to.problems.push(
                Problem::new(
                    "",
                    format!("the integer {i} is too large"),
                    "does not fit in 64 bits",
                    Some(place.clone()),
                )
                .help("TOML integers go from -9223372036854775808 to 9223372036854775807"),
            );
            0
        })),
        DeValue::Float(f) => {
            let number: f64 = f.as_str().parse().unwrap_or(f64::NAN);
            if number.is_infinite() && !f.as_str().contains("inf") {
                to.problems.push(Problem::new(
                    "",
                    format!("the number {f} is too large"),
                    "does not fit in a 64-bit float",
                    Some(place.clone()),
                ));
            }
            Value::Float(number)
        }
        DeValue::Boolean(b) => Value::Boolean(*b),
        DeValue::Datetime(d) => Value::Datetime(*d),
        DeValue::Array(values) => Value::Array(values.iter().map(|v| convert(v, to)).collect()),
        DeValue::Table(table) => Value::Table(convert_table(table, to)),
    };
    Node { place, value }
}

fn syntax_problem(text: &str, message: &str, place: Place) -> Problem {
    let found = text.get(place.range()).unwrap_or("");
    if message == "duplicate key" {
        return Problem::new("", format!("the key \"{found}\" is given twice"), "second time here", Some(place))
            .help("a key may be given once per table, and a table may be opened once: keep one of the two");
    }
    let (message, help) = match message.strip_prefix("string values must be quoted") {
        Some(_) if found.trim().is_empty() => ("a value is missing".to_owned(), None),
        Some(_) => ("a string must stand in quotes".to_owned(), Some(format!("write \"{found}\""))),
        None => (message.to_owned(), None),
    };
    let problem = Problem::new("", format!("this is not TOML: {message}"), "cannot be read from here", Some(place));
    Problem { help, ..problem }
}
