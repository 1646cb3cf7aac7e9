//! Places as they are typed, `NAME=FOLDER,FOLDER…`, with `*` in the names of folders.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::ContrastError;

/// A result as it was named: several folders are its replications.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// Its name; unique.
    pub name: String,
    /// Its folders.
    pub folders: Vec<PathBuf>,
}

/// The places with unique names.
pub(super) fn named(places: &[String]) -> Result<Vec<Place>, ContrastError> {
    let mut found: Vec<(Place, bool)> = Vec::new();
    for text in places {
        // A folder whose own name has an equals sign needs no name before it.
        let (name, list) = match text.split_once('=') {
            Some((name, list)) if !name.is_empty() && !Path::new(text).is_dir() => (Some(name), list),
            _ => (None, text.as_str()),
        };
        let folders = if Path::new(list).is_dir() { vec![PathBuf::from(list)] } else { expanded(list)? };
        if let Some(name) = name
            && found.iter().any(|(p, _)| p.name == name)
        {
            let what = format!("two results are named \"{name}\"");
            return Err(ContrastError::Name { what, help: "give each NAME=FOLDER a name of its own".to_owned() });
        }
        found
            .push((Place { name: name.map_or_else(|| own_name(&folders[0]), str::to_owned), folders }, name.is_some()));
    }
    let mut places: Vec<Place> = Vec::new();
    for i in 0..found.len() {
        let (place, given) = &found[i];
        let twin = !given && found.iter().enumerate().any(|(j, (other, _))| j != i && other.name == place.name);
        let mut place = place.clone();
        if twin {
            place.name = place.folders[0].display().to_string();
            let times = places.iter().filter(|other| other.folders == place.folders).count();
            if times > 0 {
                place.name = format!("{} ({})", place.name, times + 1);
            }
        }
        places.push(place);
    }
    Ok(places)
}

/// The last part of a path that is a name.
fn own_name(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    full.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// All folders of a list; each pattern must match something.
fn expanded(list: &str) -> Result<Vec<PathBuf>, ContrastError> {
    let mut folders = Vec::new();
    for pattern in list.split(',') {
        let matched = matching(Path::new(pattern));
        if matched.is_empty() {
            return Err(ContrastError::Place {
                path: PathBuf::from(pattern),
                what: "there is no such folder".to_owned(),
                help: "name folders that `sim run` or `sim sweep` wrote, as FOLDER, NAME=FOLDER or NAME=FOLDER,FOLDER"
                    .to_owned(),
            });
        }
        folders.extend(matched);
    }
    Ok(folders)
}

/// The folders that a path with `*` means, sorted.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let open = matches!(part, Component::Normal(_)) && text.contains('*');
        found = found
            .into_iter()
            .flat_map(|base| if open { inside(&base, &text) } else { vec![base.join(part)] })
            .filter(|path| path.is_dir())
            .collect();
    }
    if pattern.as_os_str().is_empty() { Vec::new() } else { found }
}

fn inside(base: &Path, pattern: &str) -> Vec<PathBuf> {
    let folder = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let names =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.file_name().to_string_lossy().into_owned());
    // As in a shell, hidden folders are not matched: those that are being written are hidden.
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.') && matches(pattern, name)).collect();
    names.sort();
    names.iter().map(|name| base.join(name)).collect()
}

/// Whether a name is what a pattern means; each `*` is any text.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, name, is) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "axxbyyc", true),
            ("*", "x", true),
            ("a*a", "a", false),
            ("a*b", "abc", false),
            ("b*", "abc", false),
        ] {
            assert_eq!(matches(pattern, name), is, "{pattern} {name}");
        }
    }

    #[test]
    fn results_get_unique_names_and_lists_are_one_result() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for name in ["x/run", "y/run", "x/s1", "x/s2", "x/.s3.tmp"] {
            fs::create_dir_all(dir.path().join(name)).expect("writable");
        }
        let at = |name: &str| dir.path().join(name).display().to_string();
        let names = |places: &[String]| {
            let places = named(places).expect("folders");
            places.iter().map(|p| (p.name.clone(), p.folders.len())).collect::<Vec<_>>()
        };
        assert_eq!(names(&[at("x/run"), at("x/s1")]), [("run".to_owned(), 1), ("s1".to_owned(), 1)]);
        assert_eq!(names(&[at("x/run"), at("y/run")]), [(at("x/run"), 1), (at("y/run"), 1)]);
        assert_eq!(names(&[at("x/s1"), at("x/s1")]), [(at("x/s1"), 1), (format!("{} (2)", at("x/s1")), 1)]);
        let two = [format!("a={}", at("x/s*")), format!("b={},{}", at("x/s1"), at("y/run"))];
        assert_eq!(names(&two), [("a".to_owned(), 2), ("b".to_owned(), 2)]);
        let wrong = |place: String| named(&[place]).expect_err("no folder").to_string();
        assert!(wrong(at("z")).contains("no such folder") && wrong(format!("a={}", at("q*"))).contains("help: "));
        let twice = named(&[format!("a={}", at("x/s1")), format!("a={}", at("x/s2"))]).expect_err("one name");
        assert!(twice.to_string().contains("two results are named \"a\""));
    }
}
