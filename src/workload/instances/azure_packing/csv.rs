//! The two tables as CSV files with a header.

use std::path::Path;

use super::{Taker, TypeRow, VmRow};
use crate::workload::WorkloadError;
use crate::workload::files::Text;

fn integer(text: &Text, at: usize, name: &str) -> Result<i64, WorkloadError> {
    text.text(at).parse().map_err(|_| text.wrong(at, name, "a whole number"))
}

pub(super) fn types(path: &Path) -> Result<(Vec<TypeRow>, String), WorkloadError> {
    let mut text = Text::open(path)?;
    let ([vm_type, machine, core, memory], _, width) =
        text.header(["vmTypeId", "machineId", "core", "memory"], ["id", "hdd", "ssd", "nic"])?;
    let mut rows = Vec::new();
    while text.row(width)? {
        let fraction = |at: usize, name: &str| match text.number(at, name)? {
            x if x <= 1.0 => Ok(x),
            _ => Err(text.wrong(at, name, "a fraction of a machine, from 0 to 1")),
        };
        rows.push(TypeRow {
            vm_type: integer(&text, vm_type, "vmTypeId")?,
            machine: integer(&text, machine, "machineId")?,
            cpu: fraction(core, "core")?,
            memory: fraction(memory, "memory")?,
        });
    }
    Ok((rows, text.sha256()))
}

pub(super) fn vms(path: &Path, taker: &mut Taker<'_>) -> Result<String, WorkloadError> {
    let mut text = Text::open(path)?;
    let ([vm, tenant, vm_type, priority, start, end], _, width) =
        text.header(["vmId", "tenantId", "vmTypeId", "priority", "starttime", "endtime"], [])?;
    let days = "a number of days";
    while text.row(width)? {
        let end_days = match text.cell(end) {
            b"" | b"NULL" => None,
            _ => Some(text.finite(end).ok_or_else(|| text.wrong(end, "endtime", days))?),
        };
        let row = VmRow {
            vm: integer(&text, vm, "vmId")?,
            tenant: integer(&text, tenant, "tenantId")?,
            vm_type: integer(&text, vm_type, "vmTypeId")?,
            priority: integer(&text, priority, "priority")?,
            start_days: text.finite(start).ok_or_else(|| text.wrong(start, "starttime", days))?,
            end_days,
        };
        taker.take(row).map_err(|what| text.error(what, "correct or remove the row"))?;
    }
    Ok(text.sha256())
}
