//! Many on few hosts: peaks of many tenants, predictors of peaks, soft allocation, density, the order of mechanisms and of servers.

use statrs::distribution::{ContinuousCDF, Gamma};

use super::super::judge::digits;
use super::super::world::{Context, Fault, Found, Given, Row, Table, failed};
use super::only;
use crate::report::number;
use crate::scheduler::overcommit::{OvercommitSpec, Sample, Snapshot};
use crate::types::{HostId, Seed};

/// The published experiment with the published number of draws, done elsewhere: data/SOURCES.md.
const REPEATED: &str = include_str!("../../../data/multitenancy/mean_over_p99.csv");
/// What the released simulator of predictors makes of a series made by hand.
const VECTORS: &str = include_str!("../../../data/overcommit/predictor_vectors.csv");

/// Mean over the 99th percentile of N tenants, exponential against the exact value and Weibull against the repeated experiment; the
/// tail of the exponential.
pub fn multitenancy(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let cells = context.compare("scenarios/multitenancy.toml", &[])?;
    let table = Table::read(REPEATED).map_err(failed)?;
    let (mut exact, mut tail, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for r in table.indices() {
        let tenants = table.cell(r, "tenants")?;
        let n = table.number(r, "tenants")?;
        let ours = |distribution: &str, key: &str| {
            cells.figure(&[("distribution", distribution), ("tenants", tenants)], &format!("multiplexing.{key}"))
        };
        let sum = Gamma::new(n, 1.0).map_err(failed)?;
        let what = format!("{tenants} tenants");
        exact.push(Row::new(&what, n / sum.inverse_cdf(0.99), ours("exponential", "mean_over_p99")?));
        tail.push(Row::new(&what, sum.inverse_cdf(0.9999) / n, ours("exponential", "p9999_over_mean")?));
        for name in ["weibull-2", "weibull-3", "weibull-4"] {
            repeated.push(Row::new(format!("{name}, {what}"), table.number(r, name)?, ours(name, "mean_over_p99")?));
        }
    }
    Ok([("exponential", exact), ("tail", tail), ("weibull", repeated)]
        .map(|(name, rows)| (name.to_owned(), Found::Rows(rows)))
        .into())
}

/// The policy that a column of the vectors is the output of, in this program's words.
fn policy(output: &str) -> Option<String> {
    let sigma =
        |n: u32| format!("n-sigma = {{ n = {n}.0, semantics = \"compat\", warmup_samples = 3, history_samples = 5 }}");
    let of = |name: &str, p: u32| {
        format!("{name} = {{ percentile = {p}.0, semantics = \"compat\", warmup_samples = 3, history_samples = 5 }}")
    };
    let both = format!("of = [{{ {} }}, {{ {} }}]", sigma(5), of("resource-central", 99));
    Some(match output {
        "limit" => "borg-default = { phi = 1.0 }".to_owned(),
        "max_m3" => "usage-max = { warmup_samples = 3 }".to_owned(),
        "avg_m3" => "average = { warmup_samples = 3 }".to_owned(),
        "nsigma_n2_m3_h5" => sigma(2),
        "nsigma_n5_m3_h5" => sigma(5),
        "rc_p95_m3_h5" => of("resource-central", 95),
        "rc_p99_m3_h5" => of("resource-central", 99),
        "machine_p95_m3_h5" => of("machine-percentile", 95),
        "max_decorator_n5+rc99" => format!("max = {{ {both} }}"),
        "avg_decorator_n5+rc99" => format!("mean = {{ {both} }}"),
        "oracle_h4_excl_current" => "peak-oracle = { horizon_s = 1200.0, semantics = \"compat\" }".to_owned(),
        _ => return None,
    })
}

/// Every predictor on every snapshot of the series made by hand: predicted peak and sum of limits.
pub fn predictors(_: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let table = Table::read(VECTORS).map_err(failed)?;
    let mut series: Vec<Vec<Sample>> = Vec::new();
    let mut outputs: Vec<(&str, Vec<usize>)> = Vec::new();
    for r in table.indices() {
        match table.cell(r, "output")? {
            "sample" => {
                let t = table.number(r, "snapshot")? as usize;
                series.resize_with(series.len().max(t + 1), Vec::new);
                let instance = table.cell(r, "a")?.bytes().next().map_or(0, u32::from);
                series[t].push(Sample { instance, usage: table.number(r, "b")?, limit: table.number(r, "c")? });
            }
            output => match outputs.iter_mut().find(|(name, _)| *name == output) {
                Some((_, rows)) => rows.push(r),
                None => outputs.push((output, vec![r])),
            },
        }
    }
    let mut rows = Vec::new();
    for (output, of) in outputs {
        let text = policy(output).ok_or_else(|| failed(format!("no policy gives {output}")))?;
        let spec: std::collections::BTreeMap<String, OvercommitSpec> =
            toml::from_str(&format!("x = {{ {text} }}")).map_err(failed)?;
        let mut policy = spec["x"].build(Seed(1));
        let horizon = policy.oracle_horizon().map(|h| (h.as_secs_f64() / 300.0) as usize);
        for r in of {
            let t = table.number(r, "snapshot")? as usize;
            let now = series.get(t).ok_or_else(|| failed(format!("no snapshot {t}")))?;
            let stays = |s: &&Sample| now.iter().any(|n| n.instance == s.instance);
            let together = |later: &Vec<Sample>| later.iter().filter(stays).map(|s| s.usage.min(s.limit)).sum::<f64>();
            let future_peak = horizon.map(|h| series[t + 1..].iter().take(h).map(together).fold(0.0, f64::max));
            let said = policy.predict(HostId(0), &Snapshot { samples: now, future_peak });
            let said = said.ok_or_else(|| failed(format!("{output} says nothing of snapshot {t}")))?;
            rows.push(Row::new(format!("{output}, snapshot {t}"), table.number(r, "a")?, said.peak));
            rows.push(Row::new(format!("{output}, snapshot {t}, limits"), table.number(r, "b")?, said.limit));
        }
    }
    Ok(only(Found::Rows(rows)))
}

/// Savings and violation rates on a made cell: strictly less of both with every step of a sweep; the max below its parts.
pub fn overcommit_order(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let run = context.run("scenarios/overcommit.toml", &[])?;
    let of = |name: &str| {
        let figure = |key: &str| {
            number(&run, &format!("overcommit.{name}.{key}")).ok_or_else(|| failed(format!("no predictor {name}")))
        };
        Ok::<[f64; 2], Fault>([figure("savings")?, figure("violation_rate")?])
    };
    let all = |names: &[&str]| names.iter().map(|n| of(n)).collect::<Result<Vec<_>, Fault>>();
    let falls = |of: &[[f64; 2]]| of.windows(2).all(|w| w[0][0] > w[1][0] && w[0][1] > w[1][1]);
    let said = |of: &[[f64; 2]], at: usize| of.iter().map(|x| format!("{:.3}", x[at])).collect::<Vec<_>>().join(", ");
    let both = |of: &[[f64; 2]]| format!("savings {}; violations {}", said(of, 0), said(of, 1));
    let sigma = all(&["n-sigma-2", "n-sigma-3", "n-sigma-5", "n-sigma-10"])?;
    let central = all(&["rc-80", "rc-90", "rc-95", "rc-99"])?;
    let four = all(&["max", "n-sigma-5", "rc-99", "borg-default"])?;
    let rates: Vec<f64> = four.iter().map(|x| x[1]).collect();
    let ordered = rates[0] <= rates[1] && rates[1] < rates[2] && rates[2] < rates[3];
    let most = all(&["max", "n-sigma-5", "rc-99"])?;
    let below = most[1..].iter().all(|part| most[0][0] <= part[0] && most[0][1] <= part[1]);
    Ok(vec![
        ("max".to_owned(), Found::Holds { holds: below, said: both(&most) }),
        ("n-sigma".to_owned(), Found::Holds { holds: falls(&sigma), said: both(&sigma) }),
        ("resource-central".to_owned(), Found::Holds { holds: falls(&central), said: both(&central) }),
        ("order".to_owned(), Found::Holds { holds: ordered, said: format!("violations {}", said(&four, 1)) }),
    ])
}

/// Share of the time in which a host is short of CPU or memory, the larger, at a ratio and a load of its tenants.
pub fn soft_allocation(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let given = Given(with);
    let (ratio, rate) = (given.number("ratio")?, given.number("requests_per_hour")?);
    let set = [
        format!("regions[0].hosts[0].count={}", (80.0 / ratio).round()),
        format!("scheduler.overcommit.static-ratio.memory_ratio={ratio}"),
        format!("workload.tenants.requests_per_hour={rate:?}"),
    ];
    let run = context.run("scenarios/soft-allocation.toml", &set)?;
    let share = |key: &str| number(&run, key).ok_or_else(|| failed(format!("no figure {key}")));
    Ok(only(Found::Number(share("exhaustion.cpu_share")?.max(share("exhaustion.memory_share")?))))
}

/// Whether as many tenants as the scenario has, with one sandbox each, keep the objective at a rate.
pub fn density(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let given = Given(with);
    let set = [
        format!("isolation.{}={{}}", given.text("mechanism")?),
        "scheduler.scaling.peak.headroom=0".to_owned(),
        format!("workload.tenants.tenants={}", given.number("tenants")?),
        format!("workload.tenants.requests_per_hour={}", given.number("requests_per_hour")?),
    ];
    let run = context.run("scenarios/density.toml", &set)?;
    let of = |key: &str| number(&run, key).ok_or_else(|| failed(format!("no figure {key}")));
    let (p99, lost) = (of("service_latency_s.p99")?, of("calls.rejected")? + of("calls.unfinished")?);
    let said = format!("p99 {} s, {} calls without an answer", digits(p99), digits(lost));
    Ok(only(Found::Holds { holds: p99 <= 0.5 && lost == 0.0, said }))
}

/// Embodied grams per 1,000 calls of four mechanisms, each with the keep-alive under which it emits least.
pub fn ladder(context: &Context, _: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let mechanisms = ["vm", "container", "microvm", "wasm"];
    let cells = context.compare("scenarios/isolation-ladder.toml", &[])?;
    let mut best = Vec::new();
    for mechanism in mechanisms {
        let per_call = |keep: &str| {
            let wanted = [("mechanism", mechanism), ("keep_alive", keep)];
            // A fit that found no fleet has no value.
            cells.figure(&wanted, "fit.value").ok()?;
            cells.figure(&wanted, "sci.embodied_g_per_unit").ok()
        };
        let least = ["1-min", "10-min", "for-ever"].into_iter().filter_map(per_call).fold(f64::INFINITY, f64::min);
        best.push(1000.0 * least);
    }
    let holds = best.windows(2).all(|w| w[0] > w[1]);
    let said =
        mechanisms.iter().zip(&best).map(|(name, g)| format!("{name} {} g", digits(*g))).collect::<Vec<_>>().join(", ");
    Ok(only(Found::Holds { holds, said }))
}

/// The rise of total carbon by SCI as the objective \[%\] at every number of jobs, under overrides that choose how M is written off.
pub fn sunk_carbon(context: &Context, with: &toml::Table) -> Result<Vec<(String, Found)>, Fault> {
    let hosts = match Given(with).text("empty_hosts")? {
        "on" => "scheduler.provisioning.always-on={}",
        "off" => {
            "scheduler.provisioning.threshold={ low = 1.0, high = 1000.0, min_hosts = 0, period_s = 60.0, hold_s = 60.0 }"
        }
        other => return Err(failed(format!("empty hosts are on or off, not {other}"))),
    };
    let more = with.get("set").and_then(toml::Value::as_array).into_iter().flatten();
    let more: Vec<String> = more.filter_map(|s| s.as_str().map(str::to_owned)).collect();
    let jobs =
        with.get("jobs").and_then(toml::Value::as_array).into_iter().flatten().filter_map(toml::Value::as_integer);
    let (mut rows, mut rises) = (Vec::new(), Vec::new());
    for jobs in jobs {
        let total = |objective: &str| {
            let own = [
                format!("scheduler.packing.lowest-carbon.objective=\"{objective}\""),
                hosts.to_owned(),
                format!("instances.jobs.synthetic.count={jobs}"),
            ];
            let set: Vec<String> = own.into_iter().chain(more.iter().cloned()).collect();
            context.figure("scenarios/sunk-carbon.toml", &set, "carbon_g.total")
        };
        let rise = 100.0 * (total("sci")? / total("operational")? - 1.0);
        // The load of 1,000 jobs is all of the fleet. What is published is a range, that of the claim.
        rows.push(Row::new(format!("{} % of the fleet", digits(jobs as f64 / 10.0)), f64::NAN, rise));
        rises.push(rise);
    }
    let most = rises.iter().copied().fold(f64::NAN, f64::max);
    let least = rises.iter().copied().fold(f64::NAN, f64::min);
    let said = format!("{} to {} %", digits(least), digits(most));
    Ok(vec![
        ("rows".to_owned(), Found::Rows(rows)),
        ("most".to_owned(), Found::Number(most)),
        ("always more".to_owned(), Found::Holds { holds: least > 0.0, said }),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Tolerance;

    #[test]
    fn all_pairs_of_the_predictors_are_compared() {
        let context = Context::new(None).expect("a world");
        let found = predictors(&context, &toml::Table::new()).expect("they predict");
        let Found::Rows(rows) = &found[0].1 else { panic!("rows") };
        assert_eq!(rows.len(), 2 * 128);
        assert!(rows.iter().all(|r| r.agrees(&Tolerance::Absolute(1e-9))));
    }
}
