use super::*;
use crate::types::{GramsPerKwh, SimTime};

fn utc(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn at_h(signal: &Signal, hour: u64) -> GramsPerKwh {
    signal.at(SimTime::ZERO + Duration::from_secs(hour * 3600))
}

const YEAR: Duration = Duration::from_secs(8760 * 3600);

fn year(zone: &str, seed: u64) -> Vec<f64> {
    let signal = Typical::synthesize(zone, utc("2022-01-01T00:00:00Z"), YEAR, Residual::default(), Seed(seed)).unwrap();
    signal.intervals().map(|(_, _, v)| v.0).collect()
}

#[test]
fn embedded_files_hold_19_zones_with_every_month_and_hour_inside_the_years_range() {
    assert_eq!(Typical::zones().len(), 19);
    assert_eq!(DAYS.lines().count(), 1 + 19 * 12 * 24);
    for z in Typical::zones() {
        assert!(z.boundary.ends_with("mix"), "{}", z.zone);
        for mean in z.typical_g_per_kwh.iter().flatten() {
            assert!((z.min_g_per_kwh..=z.max_g_per_kwh).contains(mean), "{} {mean}", z.zone);
        }
    }
}

#[test]
fn mean_of_typical_days_is_the_mean_of_the_year() {
    for z in Typical::zones() {
        let start = utc("2022-01-01T00:00:00Z");
        let signal = Typical::synthesize(&z.zone, start, YEAR, Residual::None {}, Seed(1)).unwrap();
        let mean = signal.mean(SimTime::ZERO, signal.end()).0;
        // Rounding of the file to 0.1, and up to 23 missing hours.
        assert!((mean - z.mean_g_per_kwh).abs() < 0.2, "{}: {mean} against {}", z.zone, z.mean_g_per_kwh);
    }
}

#[test]
fn mean_of_a_synthesised_year_is_within_three_standard_errors() {
    for z in Typical::zones() {
        let values = year(&z.zone, 7);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let rho = z.residual_lag1_autocorrelation;
        let standard_error = z.residual_sd_g_per_kwh * ((1.0 + rho) / (1.0 - rho) / n).sqrt();
        assert!(
            (mean - z.mean_g_per_kwh).abs() < 3.0 * standard_error,
            "{}: {mean} against {}, se {standard_error}",
            z.zone,
            z.mean_g_per_kwh
        );
    }
}

#[test]
fn residual_has_the_zones_sd_and_lag1_autocorrelation_from_the_first_draw_on() {
    for name in ["GB", "SG", "US-PJM"] {
        let z = Typical::zone(name).unwrap();
        let (sd, rho) = (z.residual_sd_g_per_kwh, z.residual_lag1_autocorrelation);
        let n = 200_000;
        let mut process = Ar1::new(z, Seed(5));
        let x: Vec<f64> = (0..n).map(|_| process.draw()).collect();
        let n = f64::from(n);
        let variance = x.iter().map(|v| v * v).sum::<f64>() / n;
        let lag1 = x.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / (n - 1.0) / variance;
        let r2 = rho * rho;
        let tolerance = 4.0 * ((1.0 + r2) / (1.0 - r2) / (2.0 * n)).sqrt();
        assert!((variance.sqrt() / sd - 1.0).abs() < tolerance, "{name}: sd {}", variance.sqrt());
        assert!((lag1 - rho).abs() < 4.0 * ((1.0 - r2) / n).sqrt(), "{name}: lag-1 {lag1}");
        let starts = 20_000;
        let first = (0..starts).map(|s| Ar1::new(z, Seed(s)).draw()).map(|v| v * v).sum::<f64>() / starts as f64;
        assert!((first.sqrt() / sd - 1.0).abs() < 0.02, "{name}: first draw has sd {}", first.sqrt());
    }
}

#[test]
fn clamp_moves_mean_and_sd_no_more_than_documented() {
    for z in Typical::zones() {
        let mut process = Ar1::new(z, Seed(11));
        let (mut n, mut shift, mut raw, mut kept) = (0.0, 0.0, 0.0, 0.0);
        // 20 years of twelve 30-day months.
        for _ in 0..20 {
            for mean in z.typical_g_per_kwh.iter().flat_map(|day| std::iter::repeat_n(day, 30).flatten()) {
                let x = process.draw();
                let clamped = (mean + x).clamp(z.min_g_per_kwh, z.max_g_per_kwh) - mean;
                n += 1.0;
                shift += clamped - x;
                raw += x * x;
                kept += clamped * clamped;
            }
        }
        let moved = (shift / n / z.mean_g_per_kwh).abs();
        let lost = 1.0 - (kept / n - (shift / n) * (shift / n)).sqrt() / (raw / n).sqrt();
        let (most_moved, most_lost) = match z.zone.as_str() {
            "NO" => (0.034, 0.15),
            "CA-ON" => (0.025, 0.073),
            "US-BPAT" => (0.008, 0.042),
            _ => (0.0011, 0.027),
        };
        assert!(moved < most_moved && lost < most_lost, "{}: mean {moved}, sd {lost}", z.zone);
    }
}

#[test]
fn intervals_stay_on_utc_hours_when_the_run_starts_within_one() {
    let start = utc("2022-06-10T10:45:00Z");
    let horizon = Duration::from_secs(2 * 3600);
    let signal = Typical::synthesize("NO", start, horizon, Residual::None {}, Seed(1)).unwrap();
    let quarters: Vec<_> = signal.intervals().map(|(a, b, _)| (a / (HOUR_NS / 4), b / (HOUR_NS / 4))).collect();
    assert_eq!(quarters, [(-3, 1), (1, 5), (5, 9)]);
    assert_eq!(signal.at(SimTime::ZERO).0, Typical::zone("NO").unwrap().typical_g_per_kwh[5][10]);
    assert_eq!(at_h(&signal, 1).0, Typical::zone("NO").unwrap().typical_g_per_kwh[5][11]);
    assert!(signal.covers(SimTime::ZERO + horizon));
}

#[test]
fn month_changes_at_midnight_utc() {
    let start = utc("2024-02-29T22:00:00+00:00");
    let signal =
        Typical::synthesize("DE-LU", start, Duration::from_secs(4 * 3600), Residual::None {}, Seed(1)).unwrap();
    let days = &Typical::zone("DE-LU").unwrap().typical_g_per_kwh;
    let expected = [days[1][22], days[1][23], days[2][0], days[2][1]];
    for (hour, value) in expected.into_iter().enumerate() {
        assert_eq!(at_h(&signal, hour as u64).0, value, "hour {hour}");
    }
}

#[test]
fn longer_horizon_keeps_the_beginning() {
    let start = utc("2022-01-01T00:30:00Z");
    let of = |hours: u64| {
        Typical::synthesize("GB", start, Duration::from_secs(hours * 3600), Residual::default(), Seed(3)).unwrap()
    };
    let (short, long) = (of(24), of(100));
    assert!(short.intervals().zip(long.intervals()).all(|(a, b)| a == b));
    assert_eq!(of(0).intervals().count(), 1);
}

#[test]
fn zones_and_seeds_have_residuals_of_their_own() {
    let residual = |name: &str, seed| Ar1::new(Typical::zone(name).unwrap(), Seed(seed)).stream.uniform();
    assert_ne!(residual("GB", 1), residual("ES", 1));
    assert_ne!(residual("GB", 1), residual("GB", 2));
    assert_eq!(residual("GB", 1), residual("GB", 1));
}

#[test]
fn first_values_of_a_synthetic_signal_never_change() {
    let first = &year("GB", 42)[..4];
    assert_eq!(format!("{first:?}"), "[218.1058736619862, 213.24231879395944, 194.36838965697612, 202.71647491340394]");
}

#[test]
fn unknown_zone_is_answered_with_the_nearest_and_all() {
    for (asked, meant) in
        [("CISO", "US-CISO"), ("gb", "GB"), ("DE", "DE-LU"), ("US-PMJ", "US-PJM"), ("us-tex-erco", "US-ERCO")]
    {
        let error = Typical::zone(asked).unwrap_err().to_string();
        assert!(error.contains(&format!("did you mean {meant:?}?")), "{error}");
        assert!(error.contains("US-AZPS, ") && error.ends_with("CL-SIC"), "{error}");
    }
    assert!(!Typical::zone("Atlantis").unwrap_err().to_string().contains("did you mean"));
}

#[test]
fn span_past_the_calendar_is_refused() {
    let build = |start, horizon| Typical::synthesize("GB", start, horizon, Residual::None {}, Seed(1));
    let error = build(utc("9999-12-30T00:00:00Z"), YEAR).unwrap_err().to_string();
    assert!(error.starts_with("time span of zone GB is too long"), "{error}");
    assert!(build(utc("2022-01-01T00:00:00Z"), Duration::FOREVER).is_err());
}
