//! `published.csv` and the table at the end of a run: published figures beside the run's own.

use super::summary::{Entry, number};
use super::tables::{Column, Table};
use super::{Folder, ReportError, significant};
use crate::scenario::{Label, PublishedSpec, did_you_mean};

/// Columns of `published.csv`: one row per figure of `[[published]]`, in the order of the scenario.
pub const PUBLISHED: &[Column] = &[
    ("figure", "text", "key of summary.csv"),
    ("published", "see unit", "what the source says"),
    ("ours", "see unit", "what the run found; empty if it is undefined or no such figure"),
    ("difference", "see unit", "ours less published"),
    ("unit", "text", "unit of the figure"),
    ("low", "see unit", "lowest value that agrees; empty without a bound"),
    ("high", "see unit", "highest value that agrees; empty without a bound"),
    ("verdict", "text", "within · outside · not computed · not judged (no tolerance)"),
    ("label", "text", "published: the source states it · computed from what it states · fitted to it"),
    ("source", "text", "paper, figure, table or page"),
    ("note", "text", "what the scenario says of it"),
];

/// Whether a run agrees with a published figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The run's figure lies within the tolerance, its ends included.
    Within,
    /// It does not.
    Outside,
    /// The run has no such figure, or it is undefined or a text.
    NotComputed,
    /// There is no tolerance to judge by.
    NotJudged,
}

impl Verdict {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Within => "within",
            Verdict::Outside => "outside",
            Verdict::NotComputed => "not computed",
            Verdict::NotJudged => "not judged",
        }
    }
}

/// A published figure beside the run's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What the scenario says.
    pub spec: PublishedSpec,
    /// The run's figure; not finite if there is none.
    pub ours: f64,
    /// Its unit; empty if there is no such figure.
    pub unit: &'static str,
    /// Whether they agree.
    pub verdict: Verdict,
}

impl Compared {
    /// Whether what the scenario declares does not hold: outside of the tolerance, or a tolerance and nothing to judge.
    pub fn fails(&self) -> bool {
        match self.verdict {
            Verdict::Within | Verdict::NotJudged => false,
            Verdict::Outside => true,
            Verdict::NotComputed => self.spec.range().is_some(),
        }
    }
}

/// Holds the published figures against a summary.
pub fn compare_published(specs: &[PublishedSpec], summary: &[Entry]) -> Vec<Compared> {
    let one = |spec: &PublishedSpec| {
        let ours = number(summary, &spec.figure);
        let verdict = match (ours, spec.range()) {
            (None, _) => Verdict::NotComputed,
            (Some(_), None) => Verdict::NotJudged,
            (Some(x), Some((low, high))) if low <= x && x <= high => Verdict::Within,
            _ => Verdict::Outside,
        };
        let unit = summary.iter().find(|e| e.key == spec.figure).map_or("", |e| e.unit);
        Compared { spec: spec.clone(), ours: ours.unwrap_or(f64::NAN), unit, verdict }
    };
    specs.iter().map(one).collect()
}

/// What is wrong with figures that no run has: the number of each, a message and a help.
pub fn unknown_figures(specs: &[PublishedSpec], summary: &[Entry]) -> Vec<(usize, String, String)> {
    let keys: Vec<&str> = summary.iter().map(|e| e.key.as_str()).collect();
    let unknown = specs.iter().enumerate().filter(|(_, spec)| !keys.contains(&spec.figure.as_str()));
    unknown
        .map(|(i, spec)| {
            let guess = did_you_mean(&spec.figure, &keys).map(|g| format!("did you mean \"{g}\"?\n"));
            let help = format!(
                "{}the keys are those of summary.csv; docs/outputs.md explains them",
                guess.unwrap_or_default()
            );
            (i, format!("no run has the figure \"{}\"", spec.figure), help)
        })
        .collect()
}

/// Writes `published.csv`, if there is anything to write.
///
/// # Errors
/// The file cannot be written whole.
pub fn write_published(rows: &[Compared], folder: &Folder) -> Result<(), ReportError> {
    if rows.is_empty() {
        return Ok(());
    }
    folder.write("published.csv", |f| {
        let mut table = Table::new(f, PUBLISHED)?;
        for row in rows {
            let spec = &row.spec;
            let (low, high) = spec.range().unwrap_or((f64::NAN, f64::NAN));
            table.text(&spec.figure)?;
            for x in [spec.value, row.ours, row.ours - spec.value] {
                table.number(x)?;
            }
            table.text(row.unit)?;
            table.number(low)?;
            table.number(high)?;
            for text in [row.verdict.name(), spec.label.name(), &spec.source, spec.note.as_deref().unwrap_or("")] {
                table.text(text)?;
            }
            table.end()?;
        }
        table.finish()
    })
}

/// The table for the terminal; empty without rows. What is not stated by its source is marked behind its number.
pub fn published_text(rows: &[Compared]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mark = |label: Label| match label {
        Label::Published => "",
        Label::Computed => " C",
        Label::Fitted => " F",
    };
    let cells: Vec<[String; 6]> = rows
        .iter()
        .map(|row| {
            let unit = if row.unit.is_empty() || row.unit == "1" { String::new() } else { format!(" [{}]", row.unit) };
            [
                format!("{}{unit}", row.spec.figure),
                format!("{}{}", significant(row.spec.value), mark(row.spec.label)),
                if row.ours.is_finite() { significant(row.ours) } else { "-".to_owned() },
                if row.ours.is_finite() { signed(row.ours - row.spec.value) } else { "-".to_owned() },
                tolerance(&row.spec),
                row.verdict.name().to_owned(),
            ]
        })
        .collect();
    let head = ["figure", "published", "ours", "difference", "tolerance", "verdict"].map(str::to_owned);
    let width = |c: usize| cells.iter().chain([&head]).map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cell = |(c, text): (usize, &String)| {
            let width = widths[c];
            if matches!(c, 0 | 5) { format!("{text:<width$}") } else { format!("{text:>width$}") }
        };
        let line = row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    let judged = rows.iter().filter(|r| r.spec.range().is_some()).count();
    let within = rows.iter().filter(|r| r.verdict == Verdict::Within).count();
    let mut text: String = [&head].into_iter().chain(&cells).map(line).collect();
    text += &format!("{within} of {judged} published figures within their tolerance");
    let marks = [(Label::Computed, "C computed from the source"), (Label::Fitted, "F fitted to it")];
    for (_, said) in marks.iter().filter(|(label, _)| rows.iter().any(|r| r.spec.label == *label)) {
        text += &format!("; {said}");
    }
    text + "\n"
}

fn signed(x: f64) -> String {
    if x > 0.0 { format!("+{}", significant(x)) } else { significant(x) }
}

fn tolerance(spec: &PublishedSpec) -> String {
    match (spec.within, spec.within_share, spec.low, spec.high) {
        (Some(by), ..) => format!("±{}", significant(by)),
        (_, Some(share), ..) => format!("±{} %", significant(100.0 * share)),
        (.., Some(low), Some(high)) => format!("{} to {}", significant(low), significant(high)),
        (.., Some(low), None) => format!("from {}", significant(low)),
        (.., None, Some(high)) => format!("up to {}", significant(high)),
        (.., None, None) => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::summary::Value;

    fn spec(text: &str) -> PublishedSpec {
        toml::from_str(&format!("source = \"paper, Table 1\"\n{text}")).expect(text)
    }

    fn summary() -> Vec<Entry> {
        let entry = |key: &str, value, unit| Entry { key: key.to_owned(), value, unit, meaning: "" };
        vec![
            entry("curve.executed_max_min", Value::Number(1.335), "1"),
            entry("calls.missed_deadline", Value::Count(3), "1"),
            entry("deferral_s.mean", Value::Number(f64::NAN), "s"),
            entry("sci.unit", Value::Text("call".to_owned()), "text"),
        ]
    }

    fn verdict(text: &str) -> (Verdict, bool) {
        let row = &compare_published(&[spec(text)], &summary())[0];
        (row.verdict, row.fails())
    }

    #[test]
    fn every_tolerance_is_judged_with_its_ends() {
        let max_min =
            |tolerance: &str| verdict(&format!("figure = \"curve.executed_max_min\"\nvalue = 1.4\n{tolerance}"));
        let (within, outside) = ((Verdict::Within, false), (Verdict::Outside, true));
        // 1.335 is 0.065 or 4.64 % below 1.4.
        assert_eq!([max_min("within = 0.07"), max_min("within = 0.06")], [within, outside]);
        assert_eq!([max_min("within_share = 0.05"), max_min("within_share = 0.04")], [within, outside]);
        assert_eq!([max_min("low = 1.2\nhigh = 1.5"), max_min("low = 1.34")], [within, outside]);
        assert_eq!([max_min("high = 1.335"), max_min("high = 1.33")], [within, outside]);
        assert_eq!(max_min(""), (Verdict::NotJudged, false));
        let count = |by: &str| verdict(&format!("figure = \"calls.missed_deadline\"\nvalue = 0.0\n{by}"));
        assert_eq!([count("within = 3.0"), count("within_share = 9.0")], [within, outside]);
        assert_eq!(spec("figure = \"a\"\nvalue = -2.0\nwithin_share = 0.5").range(), Some((-3.0, -1.0)));
    }

    #[test]
    fn what_is_undefined_a_text_or_unknown_is_not_computed_and_fails_only_where_it_is_judged() {
        for figure in ["deferral_s.mean", "sci.unit", "curve.none"] {
            let judged = verdict(&format!("figure = \"{figure}\"\nvalue = 1.0\nwithin = 9.0"));
            assert_eq!(judged, (Verdict::NotComputed, true), "{figure}");
            assert_eq!(
                verdict(&format!("figure = \"{figure}\"\nvalue = 1.0")),
                (Verdict::NotComputed, false),
                "{figure}"
            );
        }
    }

    #[test]
    fn unknown_figures_are_named_with_a_guess() {
        let specs = [
            spec("figure = \"curve.executed_max_min\"\nvalue = 1.0"),
            spec("figure = \"curve.exectued_max_min\"\nvalue = 1.0"),
        ];
        let found = unknown_figures(&specs, &summary());
        assert_eq!(found.len(), 1);
        let (i, message, help) = &found[0];
        assert_eq!((*i, message.as_str()), (1, "no run has the figure \"curve.exectued_max_min\""));
        assert!(help.starts_with("did you mean \"curve.executed_max_min\"?\n"), "{help}");
    }

    #[test]
    fn the_table_is_aligned_and_says_how_many_agree() {
        let specs = [
            spec("figure = \"curve.executed_max_min\"\nvalue = 1.4\nlow = 1.2\nhigh = 1.5"),
            spec("figure = \"calls.missed_deadline\"\nvalue = 0\nlabel = \"computed\"\nwithin = 0.0"),
            spec("figure = \"deferral_s.mean\"\nvalue = 60.0\nlabel = \"fitted\""),
        ];
        let text = published_text(&compare_published(&specs, &summary()));
        let expected = "\
figure                  published   ours  difference   tolerance  verdict
curve.executed_max_min        1.4  1.335      -0.065  1.2 to 1.5  within
calls.missed_deadline         0 C      3          +3          ±0  outside
deferral_s.mean [s]          60 F      -           -        none  not computed
1 of 2 published figures within their tolerance; C computed from the source; F fitted to it
";
        assert_eq!(text, expected);
        assert_eq!(published_text(&[]), "");
    }

    #[test]
    fn the_file_has_a_row_per_figure_with_its_source() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = Folder::create(&dir.path().join("run")).expect("an empty place");
        let specs = [
            spec("figure = \"curve.executed_max_min\"\nvalue = 1.4\nhigh = 1.5\nnote = \"a, b\""),
            spec("figure = \"deferral_s.mean\"\nvalue = 60.0"),
        ];
        write_published(&compare_published(&specs, &summary()), &folder).expect("writable");
        let text = std::fs::read_to_string(folder.path("published.csv")).expect("readable");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "figure,published,ours,difference,unit,low,high,verdict,label,source,note");
        let difference = 1.335 - 1.4;
        let first = format!(
            "curve.executed_max_min,1.4,1.335,{difference},1,,1.5,within,published,\"paper, Table 1\",\"a, b\""
        );
        assert_eq!(lines[1], first);
        assert_eq!(lines[2], "deferral_s.mean,60,,,s,,,not computed,published,\"paper, Table 1\",");
        assert_eq!(lines.len(), 3);
    }
}
