//! Working time in UTC: the two calendar rules of *Let's Wait Awhile* (Wiesner et al., Middleware 2021, scenario II).
//!
//! A rule looks at when a job would end without any shifting, and says by when it may end.

use jiff::Timestamp;
use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const NS_PER_S: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * NS_PER_S;
const NS_PER_HOUR: f64 = 3600.0 * 1e9;
const THURSDAY: u64 = 3;
const FRIDAY: u64 = 4;
const SATURDAY: u64 = 5;
const SUNDAY: u64 = 6;
const WEEK: u64 = 7;

/// Results must be there at the next beginning of work.
///
/// Rule, by when a job would end: Saturday, Sunday, or Friday after `close_hour`: by Monday's `open_hour`. Monday to Thursday after
/// `close_hour`: by the next day's `open_hour`. Before `open_hour`: by that of the same day. In working time, `close_hour` itself included:
/// no slack. There are no holidays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextWorkday {
    /// When work begins \[h, UTC\]. Default 9, as in the paper.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "nine")]
    pub open_hour: f64,
    /// When work ends \[h, UTC\]. Default 17, as in the paper.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "seventeen")]
    pub close_hour: f64,
    /// Whether a job that would end on Friday evening is due on Saturday's `open_hour` instead, as in the published code. Default false.
    #[serde(default)]
    pub published_friday: bool,
}

/// Results must be there twice a week.
///
/// Rule, by when a job would end: Monday after `due_hour` to Thursday's `due_hour`, included: by Thursday's. Else: by Monday's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SemiWeekly {
    /// When results are due on Mondays and Thursdays \[h, UTC\]. Default 9, as in the paper.
    #[schemars(range(min = 0.0, max = 24.0))]
    #[serde(default = "nine")]
    pub due_hour: f64,
}

fn nine() -> f64 {
    9.0
}

fn seventeen() -> f64 {
    17.0
}

/// Which day and which time of it an instant of the run is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    /// Weekday at the run's start, 0 for Monday.
    weekday: u64,
    /// Time since midnight at the run's start \[ns\].
    midnight: u64,
}

fn at(hour: f64) -> u64 {
    (hour * NS_PER_HOUR).round() as u64
}

impl Calendar {
    pub fn new(start: Timestamp) -> Self {
        let weekday = Offset::UTC.to_datetime(start).date().weekday().to_monday_zero_offset();
        // In UTC every day of POSIX time has the same length, those before 1970, too.
        let since = start.as_nanosecond().rem_euclid(DAY.into());
        Self { weekday: u64::from(weekday.unsigned_abs()), midnight: u64::try_from(since).unwrap_or(0) }
    }

    /// Weekday, 0 for Monday, and time since midnight of a time since the run's start, all in nanoseconds.
    fn day(self, time: u64) -> (u64, u64) {
        let since = self.midnight + time;
        ((self.weekday + since / DAY) % WEEK, since % DAY)
    }
}

impl NextWorkday {
    /// The slack of a job that would end at `end` \[ns\].
    pub(super) fn slack(&self, calendar: Calendar, end: u64) -> u64 {
        let (day, time) = calendar.day(end);
        let evening = time > at(self.close_hour);
        let days = match day {
            SATURDAY => 2,
            SUNDAY => 1,
            FRIDAY if evening && !self.published_friday => 3,
            _ if evening => 1,
            _ if time < at(self.open_hour) => 0,
            _ => return 0,
        };
        days * DAY + at(self.open_hour) - time
    }
}

impl SemiWeekly {
    /// The slack of a job that would end at `end` \[ns\].
    pub(super) fn slack(&self, calendar: Calendar, end: u64) -> u64 {
        let (day, time) = calendar.day(end);
        let due = at(self.due_hour);
        // Days to the next Monday or Thursday whose hour has not passed; that hour itself has not.
        let days = match day {
            0 if time <= due => 0,
            day if day < THURSDAY || (day == THURSDAY && time <= due) => THURSDAY - day,
            day => WEEK - day,
        };
        days * DAY + due - time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600 * NS_PER_S;
    const MINUTE: u64 = 60 * NS_PER_S;

    /// A calendar that starts at an instant, and the time of another one in it.
    fn of(start: &str, end: &str) -> (Calendar, u64) {
        let [start, end] = [start, end].map(|t| t.parse::<Timestamp>().expect("an instant"));
        (Calendar::new(start), (end.as_nanosecond() - start.as_nanosecond()) as u64)
    }

    #[test]
    fn each_branch_of_the_next_workday_is_as_counted_by_hand() {
        // 2020-01-01 was a Wednesday.
        let rule = NextWorkday { open_hour: 9.0, close_hour: 17.0, published_friday: false };
        let published = NextWorkday { published_friday: true, ..rule };
        for (end, minutes, published_minutes) in [
            ("2020-01-04T00:00:00Z", (48 + 9) * 60, (48 + 9) * 60), // Saturday, midnight: Monday 09:00
            ("2020-01-04T08:00:00Z", (48 + 1) * 60, (48 + 1) * 60), // Saturday comes before "before 09:00"
            ("2020-01-04T20:00:00Z", 37 * 60, 37 * 60),             // ... and before "after 17:00"
            ("2020-01-05T08:00:00Z", 25 * 60, 25 * 60),             // Sunday morning: Monday
            ("2020-01-05T12:00:00Z", 21 * 60, 21 * 60),             // Sunday noon
            ("2020-01-06T17:30:00Z", 15 * 60 + 30, 15 * 60 + 30),   // Monday evening: Tuesday
            ("2020-01-06T17:00:00Z", 0, 0),                         // 17:00 is working time
            ("2020-01-06T09:00:00Z", 0, 0),                         // so is 09:00
            ("2020-01-06T08:30:00Z", 30, 30),                       // before 09:00: the same day
            ("2020-01-06T00:00:00Z", 9 * 60, 9 * 60),               // Monday, midnight
            ("2020-01-08T12:00:00Z", 0, 0),                         // Wednesday noon
            ("2020-01-09T23:30:00Z", 9 * 60 + 30, 9 * 60 + 30),     // Thursday night: Friday
            ("2020-01-10T17:00:00Z", 0, 0),                         // Friday, 17:00
            ("2020-01-10T18:00:00Z", 63 * 60, 15 * 60),             // Friday evening: Monday, published: Saturday
            ("2020-01-10T06:00:00Z", 3 * 60, 3 * 60),               // Friday morning: the same day
        ] {
            for start in ["2020-01-01T00:00:00Z", "2020-01-02T13:45:00Z"] {
                let (calendar, time) = of(start, end);
                assert_eq!(rule.slack(calendar, time), minutes * MINUTE, "{end} from {start}");
                assert_eq!(
                    published.slack(calendar, time),
                    published_minutes * MINUTE,
                    "{end} from {start}, published"
                );
            }
        }
        let (calendar, time) = of("2020-01-01T00:00:00Z", "2020-01-06T17:00:00.000000001Z");
        assert_eq!(rule.slack(calendar, time), 16 * HOUR - 1, "a nanosecond after 17:00 is evening");
    }

    #[test]
    fn each_branch_of_the_semi_weekly_rule_is_as_counted_by_hand() {
        let rule = SemiWeekly { due_hour: 9.0 };
        for (end, hours) in [
            ("2020-01-06T08:00:00Z", 1),  // Monday before 09:00: the same day
            ("2020-01-06T09:00:00Z", 0),  // Monday 09:00 is not after 09:00
            ("2020-01-06T10:00:00Z", 71), // Monday after 09:00: Thursday
            ("2020-01-07T00:00:00Z", 57), // Tuesday
            ("2020-01-08T23:00:00Z", 10), // Wednesday night
            ("2020-01-09T09:00:00Z", 0),  // Thursday 09:00
            ("2020-01-09T10:00:00Z", 95), // Thursday after 09:00: Monday
            ("2020-01-10T18:00:00Z", 63), // Friday
            ("2020-01-11T09:00:00Z", 48), // Saturday
            ("2020-01-12T23:00:00Z", 10), // Sunday
        ] {
            let (calendar, time) = of("2020-01-01T00:00:00Z", end);
            assert_eq!(rule.slack(calendar, time), hours * HOUR, "{end}");
        }
    }

    #[test]
    fn opening_hours_are_keys() {
        let rule = NextWorkday { open_hour: 8.5, close_hour: 12.0, published_friday: false };
        let (calendar, time) = of("2020-01-01T00:00:00Z", "2020-01-07T12:30:00Z");
        assert_eq!(rule.slack(calendar, time), 20 * HOUR);
    }
}
