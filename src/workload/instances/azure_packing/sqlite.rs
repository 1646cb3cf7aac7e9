//! The database as published.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::{AzurePackingSpec, Counts, Sizes, Taker, TypeRow, Vm, VmRow};
use crate::workload::WorkloadError;

fn failed(path: &Path, error: &dyn std::fmt::Display) -> WorkloadError {
    WorkloadError::File {
        path: path.to_owned(),
        what: format!("not readable as the trace's database: {error}"),
        help: "give packing_trace_zone_a_v1.sqlite with its tables vm and vmType, complete and unpacked".to_owned(),
    }
}

/// A number, however SQLite stores it.
fn real(row: &Row<'_>, at: usize) -> rusqlite::Result<f64> {
    row.get::<_, f64>(at)
}

pub(super) fn read(path: &Path, spec: &AzurePackingSpec) -> Result<(Vec<Vm>, Sizes, Counts), WorkloadError> {
    let error = |e: rusqlite::Error| failed(path, &e);
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(error)?;
    let mut query = database.prepare("select vmTypeId, machineId, core, memory from vmType").map_err(error)?;
    let rows = query.query_map([], |r| {
        Ok(TypeRow { vm_type: r.get(0)?, machine: r.get(1)?, cpu: real(r, 2)?, memory: real(r, 3)? })
    });
    let types = rows.map_err(error)?.collect::<Result<Vec<_>, _>>().map_err(error)?;
    let is_fraction = |x: f64| (0.0..=1.0).contains(&x);
    if let Some(bad) = types.iter().find(|t| !is_fraction(t.cpu) || !is_fraction(t.memory)) {
        let what = format!(
            "vmTypeId {} on machineId {}: core = {}, memory = {} are not fractions from 0 to 1",
            bad.vm_type, bad.machine, bad.cpu, bad.memory
        );
        return Err(failed(path, &what));
    }
    let sizes = Sizes::new(types, spec)?;
    let mut taker = Taker { sizes: &sizes, vms: Vec::new(), counts: Counts::default() };
    // In the order of the identifiers, so that the order does not depend on how the database is stored.
    let sql = "select vmId, tenantId, vmTypeId, priority, starttime, endtime from vm order by vmId";
    let mut query = database.prepare(sql).map_err(error)?;
    let mut rows = query.query([]).map_err(error)?;
    while let Some(r) = rows.next().map_err(error)? {
        let row = |r: &Row<'_>| {
            Ok(VmRow {
                vm: r.get(0)?,
                tenant: r.get(1)?,
                vm_type: r.get(2)?,
                priority: r.get(3)?,
                start_days: real(r, 4)?,
                end_days: r.get(5)?,
            })
        };
        let row = row(r).map_err(error)?;
        taker.take(row).map_err(|what| failed(path, &format!("vmId {}: {what}", row.vm)))?;
    }
    let (vms, counts) = (taker.vms, taker.counts);
    Ok((vms, sizes, counts))
}
