//! What a JSON Schema allows at one place, in the words of TOML.
//!
//! Only what schemars derives from serde types is understood; [`unsupported`] lists everything else, so that a test can
//! make sure that no part of a schema goes unchecked.

use serde_json::{Map, Value as Json};

/// What may stand at one place of a document.
#[derive(Debug, Clone)]
pub(super) enum Shape<'s> {
    /// Anything.
    Any,
    /// A table with known keys, or a map.
    Table { properties: Vec<(&'s str, &'s Json)>, required: Vec<&'s str>, others: Others<'s> },
    /// An enum: one word, or a table that holds exactly one of the named tables.
    Choice { words: Vec<&'s str>, tags: Vec<(&'s str, &'s Json)> },
    /// An array: first the elements of `first`, then any number of `rest`.
    List { first: Vec<&'s Json>, rest: Option<&'s Json>, min: usize, max: usize },
    /// An integer or a float.
    Number(Number),
    /// A string, counted in characters.
    Text { min: usize, max: usize, format: Option<&'s str> },
    /// `true` or `false`.
    Boolean,
    /// One of several.
    Either(Vec<Shape<'s>>),
    /// A construct that is not understood; nothing is checked.
    Unknown(String),
}

/// What a table allows beside its known keys.
#[derive(Debug, Clone, Copy)]
pub(super) enum Others<'s> {
    Forbidden,
    Free,
    Each(&'s Json),
}

/// The bounds of a number.
#[derive(Debug, Clone)]
pub(super) struct Number {
    pub integer: bool,
    /// Lower bound, and whether the bound itself is excluded.
    pub min: Option<(f64, bool)>,
    /// Upper bound, and whether the bound itself is excluded.
    pub max: Option<(f64, bool)>,
    /// Whether `inf` may be written.
    pub infinite: bool,
}

impl Number {
    pub fn contains(&self, x: f64) -> bool {
        self.min.is_none_or(|(bound, excluded)| x > bound || (x == bound && !excluded))
            && self.max.is_none_or(|(bound, excluded)| x < bound || (x == bound && !excluded))
    }

    /// `, 0 or more`, `, greater than 0`, ` from 1 to 10`, or nothing.
    pub fn range(&self) -> String {
        match (self.min, self.max) {
            (None, None) => String::new(),
            (Some((a, false)), Some((b, false))) => format!(" from {a} to {b}"),
            (Some((a, x)), None) => {
                if x {
                    format!(" greater than {a}")
                } else {
                    format!(", {a} or more")
                }
            }
            (None, Some((b, x))) => {
                if x {
                    format!(" less than {b}")
                } else {
                    format!(", {b} or less")
                }
            }
            (Some((a, x)), Some((b, y))) => {
                let (from, to) = (if x { "greater than" } else { "at least" }, if y { "less than" } else { "at most" });
                format!(" {from} {a} and {to} {b}")
            }
        }
    }
}

impl<'s> Shape<'s> {
    /// The shape of a part of the schema `root`.
    pub fn of(root: &'s Json, schema: &'s Json) -> Self {
        let object = match schema {
            Json::Object(object) => object,
            Json::Bool(true) => return Shape::Any,
            other => return Shape::Unknown(other.to_string()),
        };
        if let Some(reference) = object.get("$ref") {
            let target = reference.as_str().and_then(|r| root.pointer(r.strip_prefix('#')?));
            let Some(target) = target else { return Shape::Unknown(format!("$ref {reference}")) };
            return Shape::of(root, target).tighten(object);
        }
        for word in ["oneOf", "anyOf", "allOf"] {
            if let Some(alternatives) = object.get(word).and_then(Json::as_array) {
                let wanted: Vec<&Json> = alternatives.iter().filter(|a| a["type"] != "null").collect();
                return match wanted[..] {
                    [only] if word != "oneOf" => Shape::of(root, only).tighten(object),
                    _ if word == "allOf" => Shape::Unknown(format!("allOf of {}", wanted.len())),
                    _ => alternatives_shape(root, &wanted, word == "oneOf").tighten(object),
                };
            }
        }
        if let Some(words) = words_of(object) {
            return Shape::Choice { words, tags: Vec::new() };
        }
        let types: Vec<&str> = match object.get("type") {
            None if object.keys().all(|k| is_note(k)) => return Shape::Any,
            Some(Json::String(name)) => vec![name],
            Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).filter(|n| *n != "null").collect(),
            _ => Vec::new(),
        };
        match types[..] {
            [] => Shape::Unknown(shorten(schema)),
            [name] => typed(object, name),
            _ => Shape::Either(types.iter().map(|name| typed(object, name)).collect()),
        }
    }

    /// The shape under the bounds that stand beside a `$ref`.
    fn tighten(self, beside: &'s Map<String, Json>) -> Self {
        let bounded = |k: &String| !is_note(k) && !matches!(k.as_str(), "$ref" | "oneOf" | "anyOf" | "allOf" | "type");
        if !beside.keys().any(bounded) {
            return self;
        }
        match self {
            Shape::Number(n) => {
                let Shape::Number(more) = typed(beside, if n.integer { "integer" } else { "number" }) else {
                    return Shape::Number(n);
                };
                let (min, max) = (more.min.or(n.min), more.max.or(n.max));
                Shape::Number(Number { integer: n.integer, min, max, infinite: n.infinite || more.infinite })
            }
            Shape::Text { min, max, format } => Shape::Text {
                min: count(beside, "minLength").unwrap_or(min),
                max: count(beside, "maxLength").unwrap_or(max),
                format: beside.get("format").and_then(Json::as_str).or(format),
            },
            Shape::List { first, rest, min, max } => Shape::List {
                first,
                rest,
                min: count(beside, "minItems").unwrap_or(min),
                max: count(beside, "maxItems").unwrap_or(max),
            },
            other => other,
        }
    }

    /// What is wanted, for "expected …".
    pub fn wanted(&self) -> String {
        match self {
            Shape::Any | Shape::Unknown(_) => "a value".to_owned(),
            Shape::Table { .. } => "a table".to_owned(),
            Shape::Choice { words, tags } if tags.is_empty() => format!("one of {}", quoted(words)),
            Shape::Choice { words, .. } if words.is_empty() => "a table".to_owned(),
            Shape::Choice { words, .. } => format!("a table or one of {}", quoted(words)),
            Shape::List { .. } => "an array".to_owned(),
            Shape::Number(n) => format!("{}{}", if n.integer { "an integer" } else { "a number" }, n.range()),
            Shape::Text { format: Some("date-time"), .. } => "an instant like 2022-06-06T00:00:00Z".to_owned(),
            Shape::Text { format: Some("date"), .. } => "a date like 2022-06-06".to_owned(),
            Shape::Text { .. } => "a string".to_owned(),
            Shape::Boolean => "true or false".to_owned(),
            Shape::Either(shapes) => shapes.iter().map(Shape::wanted).collect::<Vec<_>>().join(" or "),
        }
    }

    /// The one that a step into a table would take.
    pub fn into_table(self) -> Self {
        match self {
            Shape::Either(shapes) => shapes
                .into_iter()
                .find(|s| matches!(s, Shape::Table { .. } | Shape::Choice { .. } | Shape::List { .. }))
                .unwrap_or(Shape::Any),
            other => other,
        }
    }
}

/// `"a", "b"`.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
}

/// An enum if all alternatives are words or tables of exactly one required key.
fn alternatives_shape<'s>(root: &'s Json, alternatives: &[&'s Json], tables: bool) -> Shape<'s> {
    let (mut words, mut tags) = (Vec::new(), Vec::new());
    for alternative in alternatives {
        let object = alternative.as_object();
        if let Some(more) = object.and_then(words_of) {
            words.extend(more);
        } else if let Some(tag) = object.filter(|_| tables).and_then(tag_of) {
            tags.push(tag);
        } else {
            return match alternatives {
                [only] => Shape::of(root, only),
                _ => Shape::Either(alternatives.iter().map(|a| Shape::of(root, a)).collect()),
            };
        }
    }
    Shape::Choice { words, tags }
}

fn tag_of(object: &Map<String, Json>) -> Option<(&str, &Json)> {
    let properties = object.get("properties")?.as_object()?;
    let (name, schema) = properties.iter().next().filter(|_| properties.len() == 1)?;
    let required = object.get("required")?.as_array()?;
    (required.len() == 1
        && required[0] == name.as_str()
        && object.get("additionalProperties") == Some(&Json::Bool(false)))
    .then_some((name.as_str(), schema))
}

fn words_of(object: &Map<String, Json>) -> Option<Vec<&str>> {
    if let Some(word) = object.get("const") {
        return word.as_str().map(|w| vec![w]);
    }
    let words = object.get("enum")?.as_array()?;
    words.iter().filter(|w| !w.is_null()).map(Json::as_str).collect()
}

fn typed<'s>(object: &'s Map<String, Json>, name: &str) -> Shape<'s> {
    match name {
        "object" => {
            let properties = object.get("properties").and_then(Json::as_object);
            let required = object.get("required").and_then(Json::as_array);
            Shape::Table {
                properties: properties.map(|p| p.iter().map(|(k, v)| (k.as_str(), v)).collect()).unwrap_or_default(),
                required: required.map(|r| r.iter().filter_map(Json::as_str).collect()).unwrap_or_default(),
                others: match object.get("additionalProperties") {
                    Some(Json::Bool(false)) => Others::Forbidden,
                    Some(schema @ Json::Object(_)) => Others::Each(schema),
                    _ => Others::Free,
                },
            }
        }
        "array" => {
            let first = object.get("prefixItems").and_then(Json::as_array);
            Shape::List {
                first: first.map(|f| f.iter().collect()).unwrap_or_default(),
                rest: object.get("items"),
                min: count(object, "minItems").unwrap_or(0),
                max: count(object, "maxItems").unwrap_or(usize::MAX),
            }
        }
        "integer" | "number" => {
            let bound = |inclusive: &str, exclusive: &str| {
                let get = |key: &str| object.get(key).and_then(Json::as_f64);
                get(exclusive).map(|b| (b, true)).or(get(inclusive).map(|b| (b, false)))
            };
            let (low, high) = bits(object.get("format").and_then(Json::as_str).unwrap_or(""));
            Shape::Number(Number {
                integer: name == "integer",
                min: bound("minimum", "exclusiveMinimum").or(low.map(|b| (b, false))),
                max: bound("maximum", "exclusiveMaximum").or(high.map(|b| (b, false))),
                infinite: object.get("x-allow-infinite") == Some(&Json::Bool(true)),
            })
        }
        "string" => Shape::Text {
            min: count(object, "minLength").unwrap_or(0),
            max: count(object, "maxLength").unwrap_or(usize::MAX),
            format: object.get("format").and_then(Json::as_str),
        },
        "boolean" => Shape::Boolean,
        other => Shape::Unknown(format!("type {other}")),
    }
}

/// The range of a Rust integer type, which schemars names in `format` only. TOML has no integers beyond 64 bits, so those
/// bounds need no check.
fn bits(format: &str) -> (Option<f64>, Option<f64>) {
    let (low, high) = match format {
        "uint8" => (0.0, f64::from(u8::MAX)),
        "uint16" => (0.0, f64::from(u16::MAX)),
        "uint32" => (0.0, f64::from(u32::MAX)),
        "int8" => (f64::from(i8::MIN), f64::from(i8::MAX)),
        "int16" => (f64::from(i16::MIN), f64::from(i16::MAX)),
        "int32" => (f64::from(i32::MIN), f64::from(i32::MAX)),
        "uint64" | "uint128" | "uint" => return (Some(0.0), None),
        _ => return (None, None),
    };
    (Some(low), Some(high))
}

fn count(object: &Map<String, Json>, key: &str) -> Option<usize> {
    object.get(key)?.as_u64().and_then(|n| usize::try_from(n).ok())
}

fn shorten(schema: &Json) -> String {
    schema.to_string().chars().take(80).collect()
}

/// Keywords that demand nothing.
fn is_note(key: &str) -> bool {
    const NOTES: [&str; 11] = [
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
    ];
    NOTES.contains(&key) || (key.starts_with("x-") && key != "x-allow-infinite")
}

/// The constructs of a schema that [`check_against_schema`](super::check_against_schema) does not understand, empty if
/// the check is complete. Hold this in a test.
pub fn unsupported(schema: &Json) -> Vec<String> {
    const UNDERSTOOD: [&str; 20] = [
        "$ref",
        "type",
        "format",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "enum",
        "const",
        "x-allow-infinite",
        "uniqueItems",
    ];
    fn visit(root: &Json, schema: &Json, path: &str, found: &mut Vec<String>) {
        let Json::Object(object) = schema else {
            if *schema != Json::Bool(true) {
                found.push(format!("{path}: {schema}"));
            }
            return;
        };
        if object.get("type") == Some(&Json::String("null".to_owned())) {
            return;
        }
        if let Shape::Unknown(what) = Shape::of(root, schema) {
            found.push(format!("{path}: {what}"));
        }
        if let Shape::Text { format: Some(format), .. } = Shape::of(root, schema)
            && !matches!(format, "date-time" | "date")
        {
            found.push(format!("{path}: string format {format}"));
        }
        for (key, value) in object {
            let at = format!("{path}/{key}");
            match (key.as_str(), value) {
                ("oneOf" | "anyOf" | "allOf" | "prefixItems", Json::Array(parts)) => {
                    parts.iter().enumerate().for_each(|(i, part)| visit(root, part, &format!("{at}/{i}"), found));
                }
                ("$defs" | "properties", Json::Object(parts)) => {
                    parts.iter().for_each(|(name, part)| visit(root, part, &format!("{at}/{name}"), found));
                }
                ("additionalProperties", Json::Bool(_)) => {}
                ("items", Json::Bool(false)) if object.contains_key("prefixItems") => {}
                ("additionalProperties" | "items", part) => visit(root, part, &at, found),
                (key, _) if UNDERSTOOD.contains(&key) || is_note(key) => {}
                _ => found.push(at),
            }
        }
    }
    let mut found = Vec::new();
    visit(schema, schema, "#", &mut found);
    found
}

/// A type's schema for editors: draft 7, which Taplo (Even Better TOML) validates against, without the number formats
/// that only Rust knows. Name it in the first line of a scenario: `#:schema scenario.schema.json`.
pub fn schema_for_editors<T: schemars::JsonSchema>() -> Json {
    fn clean(schema: &mut Json) {
        match schema {
            Json::Object(object) => {
                let foreign = |f: &Json| f.as_str().is_some_and(|f| f.starts_with("uint") || f.starts_with("int"));
                if object.get("format").is_some_and(|f| foreign(f) || f == "double" || f == "float") {
                    object.shift_remove("format");
                }
                object.values_mut().for_each(clean);
            }
            Json::Array(parts) => parts.iter_mut().for_each(clean),
            _ => {}
        }
    }
    let settings = schemars::generate::SchemaSettings::draft07();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    clean(&mut schema);
    plain_descriptions(&mut schema);
    schema
}

/// Turns descriptions from rustdoc into plain text: `\[s\]` is how a doc comment writes the unit, because plain brackets are links there.
pub(super) fn plain_descriptions(schema: &mut Json) {
    match schema {
        Json::Object(object) => {
            if let Some(Json::String(text)) = object.get_mut("description") {
                *text = text.replace("\\[", "[").replace("\\]", "]");
            }
            object.values_mut().for_each(plain_descriptions);
        }
        Json::Array(parts) => parts.iter_mut().for_each(plain_descriptions),
        _ => {}
    }
}
