//! `[{"Location","Time","Rating","Duration"}]`, the data files of the Green Software Foundation's SDK. They state no unit.

use jiff::SignedDuration;

use crate::grid::import::entries::{Answer, Entry};
use crate::grid::import::raw::{Raw, RawRow};
use crate::grid::import::{ImportError, ImportSpec};

/// Whether the answer is this format's.
pub(super) fn is_like(answer: &Answer) -> bool {
    let first = answer.root.get("Emissions").unwrap_or(&answer.root).get(0);
    first.is_some_and(|f| f.get("Rating").is_some() && f.get("Time").is_some())
}

pub(super) fn read(answer: &Answer, spec: &ImportSpec) -> Result<Raw, ImportError> {
    let list = answer.root.get("Emissions").unwrap_or(&answer.root);
    let mut raw = Raw::default();
    for entry in answer.entries("list", list)? {
        let zone = entry.text("Location")?;
        if spec.zone.as_deref().is_some_and(|wanted| wanted != zone) {
            continue;
        }
        if let Some(other) = raw.says.zone.as_deref().filter(|other| *other != zone) {
            let what = format!("locations {other} and {zone} in one file");
            return Err(entry.error(what, "choose one with zone"));
        }
        raw.says.zone = Some(zone.to_owned());
        let start = entry.instant("Time")?;
        let value = entry.number(entry.value.get("Rating"), "Rating")?;
        let mut row = RawRow::plain(entry.place, start, value);
        if entry.value.get("Duration").is_some() {
            row.end = start.checked_add(duration(&entry)?).ok();
        }
        raw.rows.push(row);
    }
    if raw.rows.is_empty() {
        let zone = spec.zone.as_deref().unwrap_or_default();
        return Err(answer.error(format!("no entry of location {zone:?}"), "correct zone"));
    }
    Ok(raw)
}

/// `HH:MM` or `HH:MM:SS`, with days before a dot: `1.00:00`.
fn duration(entry: &Entry<'_>) -> Result<SignedDuration, ImportError> {
    let text = entry.text("Duration")?;
    let parsed = || {
        let (days, clock) = text.split_once('.').filter(|(d, _)| !d.contains(':')).unwrap_or(("0", text));
        let parts = clock.split(':').map(str::parse::<i64>).collect::<Result<Vec<_>, _>>().ok()?;
        let (h, m, s) = match parts.as_slice() {
            [h, m] => (*h, *m, 0),
            [h, m, s] => (*h, *m, *s),
            _ => return None,
        };
        let fits = (0..24).contains(&h) && (0..60).contains(&m) && (0..60).contains(&s);
        let days: i64 = days.parse().ok().filter(|d| (0..=366).contains(d))?;
        let seconds = days * 86_400 + h * 3600 + m * 60 + s;
        (fits && seconds > 0).then(|| SignedDuration::from_secs(seconds))
    };
    parsed().ok_or_else(|| entry.error(format!("Duration {text:?} is no length"), "write HH:MM, for example 00:30"))
}
