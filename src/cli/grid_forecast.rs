//! `sim grid forecast`: the error that forecasts achieve on the signals of a scenario, and forecasts written as vintages.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use slackwater::grid::Signal;
use slackwater::grid::forecast::{BuiltForecast, ForecastContext, ForecastSpec, HorizonScore, Issues, freeze, score};
use slackwater::report;
use slackwater::scenario::{self, Loaded};
use slackwater::types::{Duration, Seed, SimTime};

use super::Failure;

/// Arguments of `sim grid forecast`.
#[derive(Debug, Args)]
pub struct GridForecast {
    /// The scenario file: its regions, their grid and their forecast.
    scenario: PathBuf,
    /// Another forecast to measure in place of the scenario's, written as in [regions.forecast], for example
    /// 'persistence.lag_h=168'; repeatable.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Only this region.
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// How many days are measured from the run's start, as far as the signal reaches.
    #[arg(long, value_name = "DAYS", default_value_t = 366.0)]
    days: f64,
    /// How often the forecast is asked \[s\].
    #[arg(long, value_name = "SECONDS", default_value_t = 3600.0)]
    every_s: f64,
    /// How far ahead it is asked \[h\]; the table has horizons up to 96 h.
    #[arg(long, value_name = "HOURS", default_value_t = 96.0)]
    reach_h: f64,
    /// Print JSON, with every digit.
    #[arg(long)]
    json: bool,
    /// Write the forecast of one region as vintages, to be replayed: issued_at_utc,time_utc,g_per_kwh.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace a key of the scenario; repeatable.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Take a key out of the scenario, for example scheduler.shifting, before --set; repeatable.
    #[arg(long = "unset", value_name = "KEY")]
    unset: Vec<String>,
    /// The root of all random streams; replaces the scenario's.
    #[arg(long)]
    seed: Option<u64>,
}

/// A measured forecast.
struct Measured {
    region: String,
    zone: String,
    model: String,
    notes: Vec<(String, String)>,
    scores: Vec<HorizonScore>,
}

impl GridForecast {
    pub fn execute(self) -> Result<(), Failure> {
        let mut set = super::overrides(&self.unset, &self.set);
        set.extend(self.seed.map(|seed| format!("seed={seed}")));
        let loaded = scenario::load(&self.scenario, &set).map_err(|e| Failure::scenario(&e))?;
        let built = scenario::build_loaded(&loaded, false).map_err(|e| Failure::scenario(&e))?;
        let regions = self.regions(&loaded)?;
        let given = self.models.iter().map(|text| Ok((text.clone(), model(text)?))).collect::<Result<Vec<_>, _>>()?;
        let mut measured = Vec::new();
        for i in regions {
            let (region, signal) = (&loaded.scenario.regions[i], &built.signals.decide[i]);
            let issues = self.issues(signal)?;
            let own = || vec![(region.forecast.name().to_owned(), region.forecast.clone())];
            let wanted = if given.is_empty() { own() } else { given.clone() };
            for (name, spec) in wanted {
                let BuiltForecast { forecast, notes, .. } = forecast_of(&loaded, i, signal, &spec)?;
                let scores = score(&*forecast, signal, &issues);
                measured.push(Measured {
                    region: region.name.clone(),
                    zone: signal.info().zone.clone(),
                    model: name,
                    notes,
                    scores,
                });
            }
        }
        let mut text = if self.json { as_json(&measured)? } else { as_text(&measured) };
        if let Some(path) = &self.out {
            let written = self.write(path, &loaded, &built.signals.decide, &given)?;
            if !self.json {
                text += &format!("{written} vintages written to {}\n", path.display());
            }
        }
        super::print(&text)
    }

    /// Which regions are measured.
    fn regions(&self, loaded: &Loaded) -> Result<Vec<usize>, Failure> {
        let all = &loaded.scenario.regions;
        let Some(name) = &self.region else { return Ok((0..all.len()).collect()) };
        let found = all.iter().position(|r| r.name == *name).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|r| r.name.as_str()).collect();
            Failure::usage(format!("no region is called \"{name}\"\n  help: name one of {}", known.join(", ")))
        })?;
        Ok(vec![found])
    }

    /// When forecasts of `signal` are asked.
    fn issues(&self, signal: &Signal) -> Result<Issues, Failure> {
        for (flag, value) in [("--days", self.days), ("--every-s", self.every_s), ("--reach-h", self.reach_h)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Failure::usage(format!("{flag} is {value}\n  help: give a number above 0")));
            }
        }
        let day = |days: f64| Duration::from_secs_f64(days * 86_400.0);
        Ok(Issues {
            first: SimTime::ZERO,
            end: (SimTime::ZERO + day(self.days)).min(signal.end()),
            every: Duration::from_secs_f64(self.every_s).max(Duration::from_secs(1)),
            reach: day(self.reach_h / 24.0),
        })
    }

    /// Writes the vintages of one region and model; how many there were.
    fn write(
        &self,
        path: &std::path::Path,
        loaded: &Loaded,
        signals: &[Signal],
        given: &[(String, ForecastSpec)],
    ) -> Result<usize, Failure> {
        let regions = self.regions(loaded)?;
        let [i] = regions[..] else {
            return Err(Failure::usage("--out writes one region\n  help: choose it with --region NAME"));
        };
        let spec = match given {
            [] => &loaded.scenario.regions[i].forecast,
            [(_, spec)] => spec,
            _ => return Err(Failure::usage("--out writes one forecast\n  help: give one --model")),
        };
        let forecast = forecast_of(loaded, i, &signals[i], spec)?.forecast;
        let start = start_of(loaded);
        let issues = self.issues(&signals[i])?;
        let mut written = 0;
        let write = |f: &mut dyn std::io::Write| {
            written = freeze(&*forecast, start, &issues, f)?;
            Ok(())
        };
        report::write_file(path, write).map_err(Failure::internal)?;
        Ok(written)
    }
}

/// A forecast as it is written in a scenario.
fn model(text: &str) -> Result<ForecastSpec, Failure> {
    toml::from_str(text).map_err(|e| {
        let help = "write a table of [regions.forecast], for example --model 'persistence={}': `sim list forecasts`";
        Failure::usage(format!("--model {text}: {}\n  help: {help}", e.message()))
    })
}

fn start_of(loaded: &Loaded) -> jiff::Timestamp {
    loaded.scenario.time.start.parse().expect("the scenario was built, so its start is an instant")
}

/// The forecast that a run of the scenario would have in a region, with a model of one's own.
fn forecast_of(loaded: &Loaded, i: usize, signal: &Signal, spec: &ForecastSpec) -> Result<BuiltForecast, Failure> {
    let seed = scenario::forecast_seed(Seed(loaded.scenario.seed), &loaded.scenario.regions[i].name);
    let context = ForecastContext { base_dir: loaded.base_dir(), start_utc: start_of(loaded), signal, seed };
    spec.build(&context).map_err(|e| Failure::usage(format!("{e}\n  help: see docs/forecasts.md")))
}

fn as_text(measured: &[Measured]) -> String {
    let mut text = String::new();
    for m in measured {
        text += &format!("{} (zone {}): {}\n", m.region, m.zone, m.model);
        text += &m.notes.iter().map(|(key, what)| format!("  {key}: {what}\n")).collect::<String>();
        text += &format!(
            "  {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
            "horizon", "hours", "MAE", "RMSE", "RMSE/mean", "bias", "rank corr."
        );
        for s in &m.scores {
            if s.pairs == 0 {
                continue;
            }
            let rank = s.rank_correlation.map_or_else(|| "-".to_owned(), |r| format!("{r:.3}"));
            text += &format!(
                "  {:>9} {:>9} {:>9.2} {:>9.2} {:>9} {:>9.2} {rank:>9}\n",
                format!("{}-{} h", s.from_h, s.to_h),
                s.pairs,
                s.mae_g_per_kwh,
                s.rmse_g_per_kwh,
                format!("{:.1} %", 100.0 * s.relative_rmse),
                // Rounded to the digits shown, so that nothing reads -0.00.
                (s.bias_g_per_kwh * 100.0).round() / 100.0 + 0.0,
            );
        }
        text += "\n";
    }
    text + "gCO2e/kWh; belief less fact, by hour; rank correlation within the hours of a range, or the days of a longer one\n"
}

fn as_json(measured: &[Measured]) -> Result<String, Failure> {
    let rows: Vec<_> = measured
        .iter()
        .map(|m| {
            let notes: serde_json::Map<_, _> = m.notes.iter().map(|(k, v)| (k.clone(), json!(v))).collect();
            json!({ "region": m.region, "zone": m.zone, "model": m.model, "notes": notes, "horizons": m.scores })
        })
        .collect();
    serde_json::to_string_pretty(&rows).map(|text| text + "\n").map_err(Failure::internal)
}
