//! Dotted paths such as `regions[3].hosts[0].count`.

/// One step from a value into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    /// Into a table, by key.
    Key(String),
    /// Into an array, by number from 0.
    Index(usize),
}

/// Takes a dotted path apart. A key that holds a dot or a bracket stands in quotes. Never fails: what makes no sense as an
/// index is taken as a key.
pub fn parse_path(path: &str) -> Vec<PathStep> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some((inner, after)) = quote.and_then(|q| rest[1..].split_once(q)) {
            steps.push(PathStep::Key(inner.to_owned()));
            rest = after;
        } else if let Some((index, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
            steps.push(match index.trim().parse() {
                Ok(i) => PathStep::Index(i),
                Err(_) => PathStep::Key(index.trim().to_owned()),
            });
            rest = after;
        } else {
            let end = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '[')).map_or(rest.len(), |(i, _)| i);
            steps.push(PathStep::Key(rest[..end].trim().to_owned()));
            rest = &rest[end..];
        }
        rest = rest.strip_prefix('.').unwrap_or(rest);
    }
    steps
}

/// The dotted path as text; [`parse_path`] takes it apart again.
pub fn show_path(path: &[PathStep]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            PathStep::Index(i) => text.push_str(&format!("[{i}]")),
            PathStep::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(&show_key(key));
            }
        }
    }
    text
}

/// A key as TOML writes it: bare where that is possible, else in quotes.
pub(super) fn show_key(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { key.to_owned() } else { format!("\"{key}\"") }
}

/// How messages call the table at a path: `[scheduler.packing]`, `regions[0].hosts[1]`, `the top level`.
pub(super) fn show_table(path: &[PathStep]) -> String {
    if path.is_empty() {
        "the top level".to_owned()
    } else if path.iter().any(|s| matches!(s, PathStep::Index(_))) {
        show_path(path)
    } else {
        format!("[{}]", show_path(path))
    }
}

/// The header that opens the table at a path in a file: without indexes, as TOML has it.
pub(super) fn header(path: &[PathStep], array: bool) -> String {
    let keys: Vec<String> =
        path.iter().filter_map(|s| if let PathStep::Key(k) = s { Some(show_key(k)) } else { None }).collect();
    let keys = keys.join(".");
    if array { format!("[[{keys}]]") } else { format!("[{keys}]") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart_and_put_together() {
        for path in ["regions[3].hosts[0].count", "servers.\"a.b\".cores", "scheduler.packing.first-fit", "a[0][1]"] {
            assert_eq!(show_path(&parse_path(path)), path);
        }
    }

    #[test]
    fn odd_paths_are_taken_as_keys() {
        assert_eq!(parse_path("a[x]"), [PathStep::Key("a".into()), PathStep::Key("x".into())]);
        assert_eq!(parse_path("\"a"), [PathStep::Key("\"a".into())]);
        assert_eq!(parse_path(""), []);
    }
}
