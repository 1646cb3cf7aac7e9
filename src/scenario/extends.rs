//! `extends = "FILE"`: a scenario that builds upon another one, and says only what differs.
//!
//! The file's values are laid over those of the file it extends, table by table; an array and a plain value replace what
//! was there, and where the schema has an enum, another variant replaces the whole of the old one, as with `--set`. Every
//! value keeps the place it was written at, so that a problem points into the right file.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::diagnose::Problem;
use super::document::{Document, Entry, Node, Place, Value};
use super::overrides::step_into;
use super::path::{PathStep, show_path};
use super::shape::Shape;

/// A file that a scenario extends, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Extended {
    pub path: PathBuf,
    pub text: String,
}

/// The most files in a row: more are a mistake.
const MOST: usize = 16;

impl Document {
    /// Lays the document over the file that its `extends` names, and that one's, and so on; `path` is the document's own.
    /// Gives the files in that order. A document without the key, or whose key is no text, stays as it is.
    ///
    /// # Errors
    /// A file that cannot be read or parsed, a chain that comes back to itself, a key of `unset` that no extended file has, an argument of `set` that
    /// leads nowhere.
    pub(super) fn extend(&mut self, path: &Path, schema: &Json) -> Result<Vec<Extended>, Vec<Problem>> {
        let mut read: Vec<Extended> = Vec::new();
        let mut layers: Vec<Node> = Vec::new();
        let mut here = path.to_owned();
        let mut seen = vec![identity(path)];
        while let Some((name, place)) = text_of(layers.last().unwrap_or(&self.root), "extends") {
            let file = here.parent().unwrap_or(Path::new("")).join(&name);
            let wrong = |message: String, label: &str, help: String| {
                vec![Problem::new("extends", message, label, Some(place.clone())).help(help)]
            };
            if seen.contains(&identity(&file)) || read.len() == MOST {
                let chain: Vec<String> = std::iter::once(path)
                    .chain(read.iter().map(|r| r.path.as_path()))
                    .chain([file.as_path()])
                    .map(|p| p.display().to_string())
                    .collect();
                let message = format!("the scenario extends itself: {}", chain.join(" -> "));
                return Err(wrong(
                    message,
                    "comes back to a file that extends it",
                    "let one of them extend nothing".to_owned(),
                ));
            }
            let text = fs::read_to_string(&file).map_err(|error| {
                let help = format!("the path is relative to the folder of {}", here.display());
                wrong(format!("cannot read {}: {error}", file.display()), "extends this", help)
            })?;
            layers.push(self.add_file(&file.display().to_string(), &text)?);
            seen.push(identity(&file));
            read.push(Extended { path: file.clone(), text });
            here = file;
        }
        // From the deepest file to the one that is run: what a file leaves out goes before its own values come.
        let mut problems = Vec::new();
        let own = std::mem::replace(&mut self.root, nothing());
        let mut layers = layers.into_iter().rev().chain([own]);
        self.root = layers.next().expect("the document itself is a layer");
        for list in ["unset", "set"] {
            for (said, place) in texts_of(&self.root, list) {
                let message = format!("there is nothing to {list} \"{said}\" in: the file extends no other");
                let help = format!("`{list}` changes the file that `extends` names: change the key itself");
                problems.push(Problem::new(list, message, "here", Some(place)).help(help));
            }
        }
        for layer in layers {
            for (key, place) in texts_of(&layer, "unset") {
                problems.extend(self.remove(&key, &|r| inside(&place, r)).err().map(|p| *p));
            }
            let below = std::mem::replace(&mut self.root, nothing());
            let set = texts_of(&layer, "set");
            self.root = lay_over(below, layer, &Shape::of(schema, schema), schema);
            for (argument, place) in set {
                problems.extend(self.assign(&argument, &|r| inside(&place, r), schema).err().map(|p| *p));
            }
        }
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }
}

fn nothing() -> Node {
    Node { place: Place::new(0, 0..0), value: Value::Table(Vec::new()) }
}

/// The range `r` of a text that stands in quotes at `place`.
fn inside(place: &Place, r: std::ops::Range<usize>) -> Place {
    let (start, end) = (place.start + 1 + r.start, place.start + 1 + r.end);
    Place::new(place.source, start.min(place.end)..end.min(place.end))
}

/// A file, however its path is written.
fn identity(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Table(entries) = &node.value else { return None };
    entries.iter().find(|e| e.key == key).map(|e| &e.node)
}

/// The text under a key of the top level, and where it stands.
fn text_of(root: &Node, key: &str) -> Option<(String, Place)> {
    let node = entry(root, key)?;
    if let Value::Text(text) = &node.value { Some((text.clone(), node.place.clone())) } else { None }
}

/// The texts of the array under a key of the top level.
fn texts_of(root: &Node, key: &str) -> Vec<(String, Place)> {
    let Some(Node { value: Value::Array(nodes), .. }) = entry(root, key) else { return Vec::new() };
    let text = |n: &Node| if let Value::Text(t) = &n.value { Some((t.clone(), n.place.clone())) } else { None };
    nodes.iter().filter_map(text).collect()
}

/// `over` on top of `below`.
fn lay_over(below: Node, over: Node, shape: &Shape<'_>, schema: &Json) -> Node {
    let (Value::Table(mut entries), Value::Table(new)) = (below.value, over.value.clone()) else { return over };
    if let Shape::Choice { tags, .. } = shape.clone().into_table()
        && new.iter().any(|e| tags.iter().any(|(tag, _)| *tag == e.key))
    {
        entries.retain(|e| new.iter().any(|n| n.key == e.key));
    }
    // What a file says of the file below it is no part of the scenario that is above both.
    let own = |key: &str| matches!(key, "extends" | "unset" | "set");
    if matches!(shape, Shape::Table { properties, .. } if properties.iter().any(|(name, _)| *name == "extends")) {
        entries.retain(|e| !own(&e.key));
    }
    for Entry { key, key_place, node } in new {
        match entries.iter_mut().find(|e| e.key == key) {
            Some(old) => {
                let inner = step_into(schema, shape.clone(), &PathStep::Key(key));
                let before = std::mem::replace(&mut old.node, nothing());
                old.key_place = key_place;
                old.node = lay_over(before, node, &inner, schema);
            }
            None => entries.push(Entry { key, key_place, node }),
        }
    }
    Node { place: over.place, value: Value::Table(entries) }
}

impl Document {
    /// Takes a key out of its table; `at` says where a range of the key's bytes stands.
    pub(super) fn remove(
        &mut self,
        key: &str,
        at: &dyn Fn(std::ops::Range<usize>) -> Place,
    ) -> Result<(), Box<Problem>> {
        let steps = super::path::parse_path(key);
        let whole = at(0..key.len());
        let wrong = |message: String, label: &str, help: &str| {
            Box::new(Problem::new(show_path(&steps), message, label, Some(whole.clone())).help(help))
        };
        let Some((last, before)) = steps.split_last() else {
            return Err(wrong(
                "an empty key names nothing".to_owned(),
                "no key here",
                "write a dotted path, for example compare",
            ));
        };
        if let Some(problem) = of_the_file(&steps, &whole) {
            return Err(problem);
        }
        let mut node = &mut self.root;
        for (depth, step) in before.iter().chain([last]).enumerate() {
            let is_last = depth == before.len();
            match (&mut node.value, step) {
                (Value::Table(entries), PathStep::Key(name)) => {
                    let Some(index) = entries.iter().position(|e| e.key == *name) else {
                        let names: Vec<&str> = entries.iter().map(|e| e.key.as_str()).collect();
                        let table = super::path::show_table(&steps[..depth]);
                        let guess =
                            super::hints::did_you_mean(name, &names).map(|g| format!("did you mean \"{g}\"?\n"));
                        let help = match names.is_empty() {
                            true => "there are no keys".to_owned(),
                            false => format!("{}its keys here: {}", guess.unwrap_or_default(), names.join(", ")),
                        };
                        let message = format!("there is no \"{name}\" in {table} to leave out");
                        return Err(wrong(message, "no such key here", &help));
                    };
                    if is_last {
                        entries.remove(index);
                        return Ok(());
                    }
                    node = &mut entries[index].node;
                }
                (Value::Array(nodes), step) if !is_last => {
                    let index = match step {
                        PathStep::Index(i) => Some(*i),
                        PathStep::Key(name) => name.parse().ok(),
                    };
                    let count = nodes.len();
                    let path = show_path(&steps[..=depth]);
                    let Some(element) = index.and_then(|i| nodes.get_mut(i)) else {
                        let message = format!("there is no {path}: the array has {count} elements");
                        return Err(wrong(message, "no such element", "elements are counted from 0"));
                    };
                    node = element;
                }
                (Value::Array(_), _) => {
                    let help = "only keys can be left out: write the array anew";
                    return Err(wrong("an element of an array cannot be left out".to_owned(), "an element", help));
                }
                _ => {
                    let message =
                        format!("the key leads into {}, which is no table", super::path::show_table(&steps[..depth]));
                    return Err(wrong(message, "leads nowhere", "name a key that the scenario has"));
                }
            }
        }
        unreachable!("the last step returns")
    }
}

/// What is wrong with an override of `extends`, `unset` or `set`: the files are read before it.
pub(super) fn of_the_file(steps: &[PathStep], place: &Place) -> Option<Box<Problem>> {
    let PathStep::Key(name) = steps.first()? else { return None };
    matches!(name.as_str(), "extends" | "unset" | "set").then(|| {
        let message = format!("\"{name}\" cannot be overridden: the files are read before any override");
        Box::new(Problem::new(name, message, "here", Some(place.clone())).help("write it into the scenario file"))
    })
}

#[cfg(test)]
mod tests;
