//! How dirty the electricity is: carbon-intensity signals over simulated time, and the only way a policy sees the future.
//!
//! ```text
//!  scenario [grid]          data/grid/*.csv, a user's CSV, a number
//!        │  Spec                      │
//!        ▼                            ▼
//!      build ──────────────────► Signal ──► Cursor ─────────► the ledger's meters   (∫ I dt, what has happened)
//!                                   └────► dyn Forecast ───► the shifting policies  (what will, or may, happen)
//! ```
//!
//! A [`Signal`] is a step function with an explicit end: a value holds from its stamp to the next one and is never
//! interpolated. What lies past the end is decided once, when the signal is built ([`PastEnd`]); afterwards, asking past
//! the end is a broken invariant of the caller and panics. Build with a horizon that covers the run, its drain and the
//! look-ahead of its policies.

mod csv;
mod error;
pub mod file;
pub mod forecast;
pub mod import;
mod market;
mod signal;
mod spec;
pub mod stats;
mod steps;
mod typical;

pub use self::csv::{Layout, Quantity, Row, parse_rows, read_csv, signal_from_rows};
pub use self::error::{GridError, RowProblem};
pub use self::forecast::{Forecast, ForecastSpec, Observed, PerfectForecast, Step};
pub use self::market::market_hint;
pub use self::signal::{Cursor, PastEnd, Signal, SignalInfo, SignalKind};
pub use self::spec::{Spec, Unit, build};
pub use self::steps::{Steps, StepsFile};
pub use self::typical::{Residual, Typical, ZoneInfo};
