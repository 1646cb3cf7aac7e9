//! What a run leaves in Parquet: its books by region and bin, its accounts by period, its calls.

mod account_log;
mod call_log;
mod columns;
mod ledger;
mod row_groups;

pub use account_log::{AccountLog, AccountLogWriter, COLUMNS as ACCOUNTS};
pub use call_log::{COLUMNS as INVOCATIONS, CallLogWriter};
pub use ledger::{LEDGER, LedgerError, read_ledger, record, write_ledger};

use super::{Column, Finished, Folder, ReportError, summary};
