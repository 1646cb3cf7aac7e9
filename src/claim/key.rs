//! Short names of figures: `sci` for `sci.g_per_unit`, `p99_latency_s` for `latency_s.p99`, `cold_share` for
//! `calls.cold_share`.

/// Names of their own for the figures that are asked for most.
pub const ALIASES: [(&str, &str); 5] = [
    ("sci", "sci.g_per_unit"),
    ("operational", "sci.operational_g_per_unit"),
    ("embodied", "sci.embodied_g_per_unit"),
    ("carbon", "carbon_g.total"),
    ("energy", "energy_j.total"),
];

/// Why a name is no figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Several figures have it.
    #[error("\"{name}\" may be {}", keys.join(" or "))]
    Ambiguous {
        /// What was typed.
        name: String,
        /// Which.
        keys: Vec<String>,
    },
    /// No figure has it.
    #[error("no run has the figure \"{name}\"")]
    Unknown {
        /// What was typed.
        name: String,
        /// What was probably meant.
        guess: Option<String>,
        /// The most similar keys, best first.
        near: Vec<String>,
    },
}

impl KeyError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            Self::Ambiguous { .. } => "write one of them".to_owned(),
            Self::Unknown { name, guess, near } => {
                let guess = guess.as_ref().map(|g| format!("did you mean \"{g}\"? ")).unwrap_or_default();
                let hyphen =
                    if name.contains('-') { "\n  A difference has spaces around its minus: a - b." } else { "" };
                format!(
                    "{guess}Near: {}.{hyphen}\n  The keys are those of summary.csv (docs/outputs.md); `p99_latency_s` may \
                     stand for `latency_s.p99`.",
                    near.join(", ")
                )
            }
        }
    }
}

/// The key that a name means, by the first of these rules that any key keeps: the key itself; one of [`ALIASES`];
/// `p99_latency_s` for `latency_s.p99`; `cold_share` for `calls.cold_share`, where no other section has that name.
///
/// # Errors
/// No key, or several.
///
/// ```
/// use slackwater::claim::find_key;
///
/// let keys = ["sci.g_per_unit", "latency_s.p99", "latency_s.mean", "deferral_s.mean", "calls.cold_share"];
/// assert_eq!(find_key("sci", &keys), Ok("sci.g_per_unit"));
/// assert_eq!(find_key("p99_latency_s", &keys), Ok("latency_s.p99"));
/// assert_eq!(find_key("cold_share", &keys), Ok("calls.cold_share"));
/// assert!(find_key("mean", &keys).is_err());
/// ```
pub fn find_key<'k>(name: &str, keys: &[&'k str]) -> Result<&'k str, KeyError> {
    let by = |is: &dyn Fn(&str) -> bool| keys.iter().copied().filter(|key| is(key)).collect::<Vec<_>>();
    let exact = by(&|key| key == name);
    if let Some(key) = exact.first() {
        return Ok(key);
    }
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, key)| *key);
    if let Some(key) = alias.and_then(|alias| keys.iter().copied().find(|key| *key == alias)) {
        return Ok(key);
    }
    if !name.contains('.') {
        let turned = by(&|key| key.split_once('.').is_some_and(|(section, rest)| format!("{rest}_{section}") == name));
        let found = if turned.is_empty() {
            by(&|key| key.split_once('.').is_some_and(|(_, rest)| rest == name))
        } else {
            turned
        };
        match found[..] {
            [] => {}
            [key] => return Ok(key),
            _ => {
                let keys = found.iter().map(|&key| key.to_owned()).collect();
                return Err(KeyError::Ambiguous { name: name.to_owned(), keys });
            }
        }
    }
    let (guess, near) = near(name, keys);
    Err(KeyError::Unknown { name: name.to_owned(), guess, near })
}

/// What was probably meant, and the most similar keys, best first.
fn near(name: &str, keys: &[&str]) -> (Option<String>, Vec<String>) {
    const SHOWN: usize = 4;
    // Jaro and Winkler's similarity from which a name is taken for a slip of the pen; as in hints for scenario keys.
    const SLIP: f64 = 0.88;
    let plain = |s: &str| s.to_lowercase().replace('-', "_");
    let word = plain(name);
    let mut scored: Vec<(f64, &str)> =
        keys.iter().map(|&key| (strsim::jaro_winkler(&word, &plain(key)), key)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let guess = scored.first().filter(|(score, _)| *score >= SLIP).map(|(_, key)| (*key).to_owned());
    (guess, scored.into_iter().take(SHOWN).map(|(_, key)| key.to_owned()).collect())
}
