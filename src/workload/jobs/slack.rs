//! `[jobs.NAME.slack]`: how long jobs may wait, by rule. The slack of a job is how much later than without shifting it may start.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::WorkloadError;
use super::calendar::{Calendar, NextWorkday, SemiWeekly};
use super::raw::{MOST_S, Raw, Rows, ns, range, wrong};

/// How long jobs may wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SlackSpec {
    /// Not at all.
    None {},
    /// All the same time.
    Fixed {
        /// How long \[s\].
        #[schemars(range(min = 0.0, max = 3153600000.0))]
        wait_s: f64,
    },
    /// By length: queues, which are the jobs' classes. GAIA's 6x24 (Hanafy et al., ASPLOS 2024): 6 h below 2 h, else 24 h. Looks at the
    /// exact length, as users choose the queue.
    ByLength(ByLength),
    /// By the class that the source names.
    ByClass(ByClass),
    /// Until work begins again (Wiesner et al., *Let's Wait Awhile*, Middleware 2021).
    NextWorkday(NextWorkday),
    /// Until Monday or Thursday morning (same paper).
    SemiWeekly(SemiWeekly),
    /// Both ways: a job is announced beforehand and may start earlier than wanted, too (same paper, scenario I).
    Window(Window),
    /// In proportion to a job's length.
    ShareOfLength(ShareOfLength),
    /// As the source says for every job.
    FromFile {
        /// For jobs of which it says nothing \[s\]. Default: that is an error.
        #[schemars(range(min = 0.0, max = 3153600000.0))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        else_s: Option<f64>,
    },
}

/// Queues by length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByLength {
    /// The classes but the last, with growing bounds.
    #[schemars(length(min = 1))]
    pub classes: Vec<LengthClass>,
    /// That of all longer jobs.
    #[serde(rename = "else")]
    pub otherwise: LastClass,
}

/// A class of jobs up to a length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LengthClass {
    /// Its name.
    pub name: String,
    /// Length, after truncation to `quantum_s`, below which a job is of this class \[s\].
    #[schemars(range(min = 0.001, max = 3153600000.0))]
    pub shorter_than_s: f64,
    /// How long its jobs may wait \[s\].
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    pub wait_s: f64,
}

/// The class of all longer jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LastClass {
    /// Its name.
    pub name: String,
    /// How long its jobs may wait \[s\].
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    pub wait_s: f64,
}

/// Waits by class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByClass {
    /// Classes of the source.
    pub classes: Vec<LastClass>,
    /// How long all other jobs may wait \[s\]. Default: another class is an error.
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub else_s: Option<f64>,
}

/// A window around the time at which a job is wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// How much earlier it may start; it arrives (is announced) then \[s\].
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    pub before_s: f64,
    /// How much later it may start \[s\].
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    pub after_s: f64,
    /// A job whose window reaches before the run's start: `clamp` its window, or `drop` the job, as the published code does (which still
    /// divides by the number of all jobs). Default clamp.
    #[serde(default)]
    pub clip: Clip,
}

/// What to do with a window that reaches before the run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clip {
    /// It begins at the run's start.
    #[default]
    Clamp,
    /// The job is left out.
    Drop,
}

/// Slack in proportion to length.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareOfLength {
    /// Slack over length \[ratio\].
    #[schemars(range(min = 0.0, max = 1000000.0))]
    pub factor: f64,
    /// At least this \[s\]. Default 0.
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    #[serde(default)]
    pub min_s: f64,
    /// At most this \[s\]. Default 3153600000.
    #[schemars(range(min = 0.0, max = 3153600000.0))]
    #[serde(default = "most")]
    pub max_s: f64,
}

fn most() -> f64 {
    MOST_S
}

impl SlackSpec {
    /// Values that are out of range, or contradict each other.
    pub(super) fn check(&self) -> Result<(), WorkloadError> {
        let time = |key: &str, value: f64| range(&format!("slack.{key}"), value, 0.0, MOST_S);
        match self {
            Self::None {} => Ok(()),
            Self::Fixed { wait_s } => time("fixed.wait_s", *wait_s),
            Self::ByLength(rule) => {
                time("by-length.else.wait_s", rule.otherwise.wait_s)?;
                for (i, class) in rule.classes.iter().enumerate() {
                    time("by-length.classes.wait_s", class.wait_s)?;
                    time("by-length.classes.shorter_than_s", class.shorter_than_s)?;
                    let before = i.checked_sub(1).map(|i| rule.classes[i].shorter_than_s);
                    if let Some(before) = before.filter(|b| *b >= class.shorter_than_s) {
                        return Err(wrong(
                            format!(
                                "slack.by-length.classes: shorter_than_s = {} comes after {before}, so that no job is ever \"{}\"",
                                class.shorter_than_s, class.name
                            ),
                            "order the classes from the shortest jobs to the longest",
                        ));
                    }
                }
                let names: Vec<&str> = rule.classes.iter().map(|c| &*c.name).chain([&*rule.otherwise.name]).collect();
                unique("slack.by-length", &names)
            }
            Self::ByClass(rule) => {
                for class in &rule.classes {
                    time("by-class.classes.wait_s", class.wait_s)?;
                }
                time("by-class.else_s", rule.else_s.unwrap_or(0.0))?;
                unique("slack.by-class", &rule.classes.iter().map(|c| &*c.name).collect::<Vec<_>>())
            }
            Self::NextWorkday(rule) => {
                if rule.open_hour >= 0.0 && rule.open_hour < rule.close_hour && rule.close_hour <= 24.0 {
                    return Ok(());
                }
                let what = format!(
                    "slack.next-workday: work from open_hour = {} to close_hour = {}",
                    rule.open_hour, rule.close_hour
                );
                Err(wrong(what, "let work begin before it ends, both from 0 to 24"))
            }
            Self::SemiWeekly(rule) => range("slack.semi-weekly.due_hour", rule.due_hour, 0.0, 24.0),
            Self::Window(rule) => {
                time("window.before_s", rule.before_s)?;
                time("window.after_s", rule.after_s)
            }
            Self::ShareOfLength(rule) => {
                range("slack.share-of-length.factor", rule.factor, 0.0, 1e6)?;
                time("share-of-length.min_s", rule.min_s)?;
                time("share-of-length.max_s", rule.max_s)?;
                if rule.min_s > rule.max_s {
                    let what = format!("slack.share-of-length: min_s = {} is above max_s = {}", rule.min_s, rule.max_s);
                    return Err(wrong(what, "choose a min_s up to max_s"));
                }
                Ok(())
            }
            Self::FromFile { else_s } => time("from-file.else_s", else_s.unwrap_or(0.0)),
        }
    }

    /// Puts every job into the class of its length, where the rule has such classes.
    pub(super) fn classify(&self, rows: &mut Rows) {
        let Self::ByLength(rule) = self else { return };
        if !rows.classes.list.is_empty() {
            rows.notes.push("classes of the source are not used: slack.by-length has its own".to_owned());
        }
        rows.classes = super::raw::Names::default();
        for name in rule.classes.iter().map(|c| &c.name).chain([&rule.otherwise.name]) {
            rows.classes.of(name);
        }
        let bounds: Vec<u64> = rule.classes.iter().map(|c| ns(c.shorter_than_s)).collect();
        for job in &mut rows.jobs {
            let class = bounds.iter().position(|b| job.length < *b).unwrap_or(bounds.len());
            job.class = Some(class as u32);
        }
    }

    /// How long before it is wanted each job is announced, and whether one that cannot be is left out.
    pub(super) fn before(&self) -> (u64, bool) {
        match self {
            Self::Window(rule) => (ns(rule.before_s), rule.clip == Clip::Drop),
            _ => (0, false),
        }
    }

    /// The slack of a job \[ns\].
    ///
    /// # Errors
    /// The rule needs something of the source that is missing.
    pub(super) fn of(&self, job: &Raw, rows: &Rows, calendar: Calendar) -> Result<u64, WorkloadError> {
        Ok(match self {
            Self::None {} => 0,
            Self::Fixed { wait_s } => ns(*wait_s),
            Self::ByLength(rule) => {
                let class = job.class.unwrap_or(0) as usize;
                ns(rule.classes.get(class).map_or(rule.otherwise.wait_s, |c| c.wait_s))
            }
            Self::ByClass(rule) => {
                let name = job.class.map(|c| &*rows.classes.list[c as usize]);
                let listed = rule.classes.iter().find(|c| Some(&*c.name) == name).map(|c| c.wait_s);
                ns(listed.or(rule.else_s).ok_or_else(|| {
                    let what = name.map_or_else(|| "the job has no class".to_owned(), |n| format!("class = \"{n}\""));
                    rows.error(
                        job,
                        format!("{what}, of which slack.by-class says nothing"),
                        "add the class to slack.by-class.classes, or give slack.by-class.else_s for all others",
                    )
                })?)
            }
            Self::NextWorkday(rule) => rule.slack(calendar, job.arrival + job.length),
            Self::SemiWeekly(rule) => rule.slack(calendar, job.arrival + job.length),
            Self::Window(rule) => ns(rule.after_s),
            Self::ShareOfLength(rule) => {
                let share = (job.length as f64 * rule.factor).min(MOST_S * 1e9) as u64;
                share.clamp(ns(rule.min_s), ns(rule.max_s))
            }
            Self::FromFile { else_s } => job.slack.or(else_s.map(ns)).ok_or_else(|| {
                rows.error(
                    job,
                    "slack.from-file, and nothing says how long this job may wait".to_owned(),
                    "fill the column slack_s, deadline_s or deadline_utc, give slack.from-file.else_s, or choose another rule",
                )
            })?,
        })
    }
}

/// Names of classes that stand there twice.
fn unique(key: &str, names: &[&str]) -> Result<(), WorkloadError> {
    match names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        None => Ok(()),
        Some((_, name)) => {
            Err(wrong(format!("{key}: two classes are called \"{name}\""), "give every class a name of its own"))
        }
    }
}
