//! Starts of sandboxes: drawn boots, memory of monitors, and the interval from which a sandbox is better not kept warm.

use super::super::judge::Tolerance;
use super::super::world::{Context, Fault, Found, Given, Row, failed};
use super::only;
use crate::compare::Order;
use crate::isolation::IsolationSpec;
use crate::types::{Memory, Seed};

/// Draws per level, as the reproduction asks.
const DRAWS: usize = 100_000;

fn mechanism(name: &str, keys: &str) -> Result<crate::isolation::Mechanism, Fault> {
    let spec: IsolationSpec = toml::from_str(&format!("[{name}]\n{keys}")).map_err(failed)?;
    spec.build().map_err(|conflicts| failed(conflicts.iter().map(|c| format!("{c:?}")).collect::<Vec<_>>().join("; ")))
}

/// Rows of mechanism, end point, concurrent starts, published p50 and p99 \[ms\]: of 100,000 drawn starts each.
pub fn boots(_: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for list in Given(with).lists("rows")? {
        let text = |at: usize| list.get(at).and_then(toml::Value::as_str).ok_or_else(|| failed("a text is wanted"));
        let number = |at: usize| {
            let value = list.get(at).and_then(|v| v.as_float().or_else(|| v.as_integer().map(|i| i as f64)));
            value.ok_or_else(|| failed("a number is wanted"))
        };
        let (name, end, concurrent) = (text(0)?, text(1)?, number(2)? as u32);
        let end_point = if end == "guest" { "start_end_point = \"guest\"" } else { "" };
        let mechanism = mechanism(name, end_point)?;
        let mut stream = Seed(11).stream("cold-start", u64::from(concurrent));
        let draw = |_| mechanism.start_latency(concurrent, &mut stream).as_secs_f64() * 1000.0;
        let mut draws: Vec<f64> = (0..DRAWS).map(draw).collect();
        draws.sort_by(f64::total_cmp);
        let what = format!("{name}, {end}, {concurrent} at once");
        p50.push(Row::new(&what, number(3)?, draws[DRAWS / 2]));
        p99.push(Row::new(&what, number(4)?, draws[DRAWS / 100 * 99]));
    }
    Ok(vec![("p50".to_owned(), Found::Rows(p50)), ("p99".to_owned(), Found::Rows(p99))])
}

/// Memory of monitors beside guests of 128 MiB to 8 GiB \[MiB\], and how many guests of 128 MiB fit into a TiB.
pub fn memory(_: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let mut monitors = Vec::new();
    for (name, published) in with {
        let published = published.as_float().ok_or_else(|| failed(format!("{name} has no memory")))?;
        let mechanism = mechanism(name, "guest_memory = \"included\"")?;
        for guest_mib in [128.0, 512.0, 1024.0, 8192.0] {
            let function = Memory::from_mb(guest_mib * 1.048_576);
            let sandbox = function + mechanism.memory_overhead;
            let mib = (sandbox.0 - function.0) as f64 / f64::from(1 << 20);
            monitors.push(Row::new(format!("{name} beside {guest_mib} MiB"), published, mib));
        }
    }
    let microvm = mechanism("microvm", "guest_memory = \"included\"")?;
    let sandbox = Memory(128 << 20) + microvm.memory_overhead;
    let fit = ((1_u64 << 40) - microvm.memory_per_host.0) / sandbox.0;
    Ok(vec![("monitors".to_owned(), Found::Rows(monitors)), ("terabyte".to_owned(), Found::Number(fit as f64))])
}

/// Where starting anew and keeping warm cost the same joules, against T* = E / (p s): joules of a start over the idle power of the memory held.
pub fn break_even(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let mut rows = Vec::new();
    for list in Given(with).lists("rows")? {
        let [name, joules, overhead_mb] = &list[..] else { return Err(failed("a mechanism, joules, MB")) };
        let (Some(name), Some(joules), Some(overhead_mb)) = (name.as_str(), joules.as_float(), overhead_mb.as_float())
        else {
            return Err(failed("a mechanism, joules, MB"));
        };
        let between = format!("compare.crossings[0].between=[\"{name}-per-request\",\"{name}-kept\"]");
        let cells = context.compare("scenarios/checks/hotcarbon.toml", &[between])?;
        let crossing = cells.0.lines.iter().find_map(|l| match &l.order {
            Order::Crosses(places) if places.len() == 1 => places.first(),
            _ => None,
        });
        let crossing = crossing.ok_or_else(|| failed(format!("{name}: the lines do not cross once")))?;
        // 8 W of 16,000 MB, a function of 128 MB.
        let interval_s = joules / (8.0 / 16_000.0 * (128.0 + overhead_mb));
        let row = Row::new(format!("{name} [s]"), interval_s, 3600.0 / crossing.at);
        rows.push(row.under(Tolerance::Relative(0.01)));
    }
    Ok(only(Found::Rows(rows)))
}
