//! Distances against a globe, matrices against what they must be, and the ways of calls by hand.

use std::path::Path;

use super::*;
use crate::types::RegionId;

const A: RegionId = RegionId(0);
const B: RegionId = RegionId(1);
const C: RegionId = RegionId(2);

fn names() -> Vec<String> {
    ["a", "b", "c"].map(str::to_owned).to_vec()
}

fn built(text: &str) -> Result<Network, Vec<NetworkProblem>> {
    let spec: NetworkSpec = toml::from_str(text).expect("right TOML");
    spec.build(&names(), &[None; 3], Path::new(".")).map(|(network, _)| network)
}

const MATRIX: &str = "rtt_ms = [[0.0, 100.0, 40.0], [100.0, 0.0, 60.0], [41.0, 60.0, 0.0]]\nbandwidth_mb_per_s = 100.0\n\
                      transfer_wh_per_gb = 10.0\n";

fn ms(ms: u64) -> Duration {
    Duration(ms * 1_000_000)
}

#[test]
fn distances_are_those_of_a_globe() {
    let at = |latitude_deg, longitude_deg| Place { latitude_deg, longitude_deg };
    let quarter = std::f64::consts::FRAC_PI_2 * 6371.0;
    assert!((great_circle_km(at(0.0, 0.0), at(0.0, 90.0)) - quarter).abs() < 1e-9);
    assert!((great_circle_km(at(90.0, 0.0), at(0.0, 77.0)) - quarter).abs() < 1e-9);
    // Opposite points are where the formula is worst: the root of a rounding, 2 x 6371 km x 1e-8, a few times 10 cm.
    assert!((great_circle_km(at(10.0, 20.0), at(-10.0, -160.0)) - 2.0 * quarter).abs() < 1e-3);
    // Across the date line, and the published distance of London and New York: 5570 km.
    assert!((great_circle_km(at(0.0, 179.0), at(0.0, -179.0)) - quarter / 45.0).abs() < 1e-9);
    assert!((great_circle_km(at(51.5074, -0.1278), at(40.7128, -74.0060)) / 5570.0 - 1.0).abs() < 1e-3);
}

#[test]
fn coordinates_give_the_round_trips_of_the_published_regression() {
    let spec: NetworkSpec = toml::from_str("").expect("right TOML");
    let place = |latitude_deg, longitude_deg| Some(Place { latitude_deg, longitude_deg });
    let places = [place(0.0, 0.0), place(0.0, 90.0), place(0.0, 0.0)];
    let (network, _) = spec.build(&names(), &places, Path::new(".")).expect("a right network");
    let want_ms = 0.01364 * std::f64::consts::FRAC_PI_2 * 6371.0 + 4.862;
    assert!((network.rtt(A, B).as_secs_f64() * 1000.0 - want_ms).abs() < 1e-5);
    assert_eq!(network.rtt(A, B), network.rtt(B, A));
    assert_eq!([network.rtt(A, A), network.rtt(A, C)], [Duration::ZERO, Duration::from_secs_f64(0.004862)]);
    assert_eq!(network.place(B).map(|p| p.longitude_deg), Some(90.0));
    let one_is_nowhere = [places[0], None, places[2]];
    let problems = spec.build(&names(), &one_is_nowhere, Path::new(".")).expect_err("nobody knows how far");
    assert!(problems[0].1.contains("nothing says how long"), "{problems:?}");
}

#[test]
fn a_matrix_is_square_finite_not_negative_and_zero_inside_a_region() {
    assert!(built(MATRIX).is_ok());
    for (rows, part) in [
        ("[[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]", "2 rows for 3 regions"),
        ("[[0.0, 1.0, 1.0], [1.0, 0.0], [1.0, 1.0, 0.0]]", "row 2 has 2 columns"),
        ("[[0.0, -1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]", "-1 ms from region 1 to region 2"),
        ("[[0.0, nan, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]", "NaN ms"),
        ("[[0.0, inf, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]", "inf ms"),
        ("[[0.0, 1.0, 1.0], [1.0, 2.0, 1.0], [1.0, 1.0, 0.0]]", "2 ms from region 2 to region 2"),
    ] {
        let problems = built(&format!("rtt_ms = {rows}")).expect_err(part);
        assert!(problems.iter().any(|(key, what, _)| key == "rtt_ms" && what.contains(part)), "{part}: {problems:?}");
    }
}

#[test]
fn a_file_names_its_regions_in_any_order() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("rtt.csv"), "# by hand\nregion,c,a,b\nb,60,100,0\na,40,0,100\nc,0,41,60\n")
        .expect("it can be written");
    let spec: NetworkSpec = toml::from_str("rtt_csv = \"rtt.csv\"").expect("right TOML");
    let (network, read) = spec.build(&names(), &[None; 3], dir.path()).expect("a right file");
    let rtts = [(A, B), (A, C), (C, A), (B, C)].map(|(x, y)| network.rtt(x, y));
    assert_eq!(rtts, [ms(100), ms(40), ms(41), ms(60)]);
    assert!(read.is_some_and(|(path, text)| path.ends_with("rtt.csv") && text.starts_with("# by hand")));
    for (text, part) in [
        ("region,a,b\na,0,1\nb,1,0\n", "no column of region \"c\""),
        ("region,a,b,c\na,0,1,1\nb,1,0,1\n", "no row of region \"c\""),
        ("region,a,b,c\na,0,x,1\nb,1,0,1\nc,1,1,0\n", "\"x\" from \"a\" to \"b\" is no number"),
        ("", "empty"),
    ] {
        std::fs::write(dir.path().join("rtt.csv"), text).expect("it can be written");
        let problems = spec.build(&names(), &[None; 3], dir.path()).expect_err(part);
        assert!(problems[0].1.contains(part), "{part}: {problems:?}");
    }
}

#[test]
fn ways_and_flows_are_those_of_a_calculation_by_hand() {
    let network = built(MATRIX).expect("a right network");
    let t = Traffic { request_mb: 2.0, response_mb: 3.0, data_mb: 10.0, data_home: None };
    assert_eq!([network.way_there(&t, A, A), network.way_back(&t, A, A)], [Duration::ZERO; 2]);
    // 50 ms, and 12 MB at 100 MB/s; back 50 ms, and 3 MB.
    assert_eq!([network.way_there(&t, A, B), network.way_back(&t, A, B)], [ms(170), ms(80)]);
    // The data are in c: asked for from b (60 ms), 10 MB; the request's 2 MB before that.
    let elsewhere = Traffic { data_home: Some(C), ..t };
    assert_eq!(network.way_there(&elsewhere, A, B), ms(50 + 20 + 60 + 100));
    // They are there already, or have to come home.
    assert_eq!(network.way_there(&elsewhere, A, C), ms(20 + 20));
    assert_eq!(network.way_there(&elsewhere, A, A), ms(40 + 100));
    let sent = |region| network.flows(&elsewhere, A, region).map(|f| f.mb);
    assert_eq!([sent(A), sent(B), sent(C)], [[0.0, 10.0, 0.0], [2.0, 10.0, 3.0], [2.0, 0.0, 3.0]]);
    // 10 Wh/GB is 36 J/MB.
    assert!((network.joules(&network.flow_back(&t, A, B)) - 108.0).abs() < 1e-9);
    // Both halves of an odd round trip are the whole.
    let odd = Network::new(2, [0, 3, 3, 0].map(Duration).to_vec());
    let none = Traffic::default();
    assert_eq!(odd.way_there(&none, A, B) + odd.way_back(&none, A, B), Duration(3));
}

#[test]
fn of_several_rules_the_first_that_fits_holds() {
    let text = format!(
        "{MATRIX}[data]\nrequest_kb = 1000.0\nhome = \"c\"\n\
         [[data.of]]\nfunctions = [\"f\"]\ndata_mb = 5.0\n[[data.of]]\ntenants = [\"t\"]\nresponse_kb = 500.0\nhome = \"b\"\n\
         [[residency]]\ntenants = [\"t\"]\nregions = [\"b\", \"c\"]\n[[residency]]\nfunctions = [\"g\"]\nregions = [\"a\"]\n"
    );
    let mut network = built(&text).expect("a right network");
    let known = [("f", "t"), ("g", "t"), ("g", "u"), ("h", "u")];
    known.iter().for_each(|(function, tenant)| network.announce(function, tenant));
    let f = |i| network.traffic(FunctionId(i));
    assert_eq!(f(0), Traffic { request_mb: 1.0, response_mb: 0.0, data_mb: 5.0, data_home: Some(C) });
    assert_eq!(f(1), Traffic { request_mb: 1.0, response_mb: 0.5, data_mb: 0.0, data_home: Some(B) });
    assert_eq!([f(2), f(3)], [Traffic { request_mb: 1.0, data_home: Some(C), ..Traffic::default() }; 2]);
    let may = |i| [A, B, C].map(|r| network.allows(FunctionId(i), r));
    assert_eq!([may(0), may(1)], [[false, true, true]; 2]);
    assert_eq!([may(2), may(3)], [[true, false, false], [true; 3]]);
    for (wrong, part) in [
        ("[data]\nhome = \"x\"", "no region is called \"x\""),
        ("[[data.of]]\nrequest_kb = 1.0", "fits nobody"),
        ("[[residency]]\nregions = [\"a\"]", "fits nobody"),
        ("[[residency]]\ntenants = [\"t\"]\nregions = [\"x\"]", "no region is called \"x\""),
    ] {
        let problems = built(&format!("{MATRIX}{wrong}")).expect_err(part);
        assert!(problems.iter().any(|p| p.1.contains(part)), "{part}: {problems:?}");
    }
}
