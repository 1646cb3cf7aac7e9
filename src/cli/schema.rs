//! `sim schema`.

use slackwater::scenario::{Scenario, schema_for_editors};

use super::Failure;

pub fn execute() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&schema_for_editors::<Scenario>()).map_err(Failure::internal)?;
    super::print(&(text + "\n"))
}
