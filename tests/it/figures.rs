//! Figures of finished results: each kind from tables that stand here, by what is in the picture; and what is said where there is none.

use std::fs;
use std::path::{Path, PathBuf};

use slackwater::plot::{CATALOGUE, PlotError, Request, Sheet, Size, check, kind};
use tempfile::TempDir;

use crate::lab::{repository, run_file};

const SIZES: [Size; 4] = [Size::Print, Size::Column, Size::Page, Size::Screen];

/// A result of tables that are written here.
pub struct Result {
    dir: TempDir,
}

impl Result {
    fn new(files: &[(&str, String)]) -> Self {
        let result = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        for (name, text) in files {
            fs::write(result.dir.path().join(name), text).expect("the folder is writable");
        }
        result
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    #[track_caller]
    fn draw(&self, name: &str, request: &Request) -> Sheet {
        drawn(self.folder(), name, request, Size::Print)
    }

    #[track_caller]
    fn fails(&self, name: &str, request: &Request) -> String {
        match kind(name).expect("a kind").draw(self.folder(), request, Size::Print) {
            Ok(_) => panic!("{name} is drawn"),
            Err(error) => error.to_string(),
        }
    }
}

#[track_caller]
fn drawn(folder: &Path, name: &str, request: &Request, size: Size) -> Sheet {
    kind(name).expect("a kind").draw(folder, request, size).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn asked(metrics: &[&str]) -> Request {
    Request { metrics: metrics.iter().map(|m| (*m).to_owned()).collect(), ..Request::default() }
}

/// A text of a picture: where it begins and ends, where it stands, and how large it is, all in the view box.
#[derive(Debug)]
struct Words {
    text: String,
    x: f64,
    y: f64,
    anchor: String,
    size: f64,
    upright: bool,
}

/// The texts of an SVG, whose elements stand on a line each.
fn words(svg: &str) -> Vec<Words> {
    let mut lines = svg.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if !line.starts_with("<text") {
            continue;
        }
        let text = lines.next().expect("a text follows its tag");
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&apos;", "'").replace("&amp;", "&");
        let number = |name: &str| attribute(line, name).parse().expect("a number");
        found.push(Words {
            text,
            x: number("x"),
            y: number("y"),
            anchor: attribute(line, "text-anchor"),
            size: number("font-size"),
            upright: line.contains("rotate(270"),
        });
    }
    found
}

fn attribute(line: &str, name: &str) -> String {
    let start = format!(" {name}=\"");
    let from = line.find(&start).unwrap_or_else(|| panic!("{name} is missing in {line}")) + start.len();
    line[from..].chars().take_while(|c| *c != '"').collect()
}

fn texts(svg: &str) -> String {
    words(svg).into_iter().map(|w| w.text).collect::<Vec<_>>().join("\n")
}

/// What holds of every picture: its font, its view box, texts inside of it, the same bytes twice, and a PNG of the same size.
#[track_caller]
fn is_sound(sheet: &Sheet, size: Size) -> String {
    let svg = sheet.svg().expect("an SVG");
    assert_eq!(svg, sheet.svg().expect("an SVG"), "the same sheet gives the same bytes");
    let head = svg.lines().next().expect("a line");
    let view = attribute(head, "viewBox");
    let view: Vec<f64> = view.split(' ').map(|n| n.parse().expect("a number")).collect();
    let all = words(&svg);
    assert!(all.len() > 3, "{svg}");
    for w in &all {
        let wide = slackwater::plot::width(&w.text) * w.size;
        let before = match w.anchor.as_str() {
            "start" => 0.0,
            "middle" => wide / 2.0,
            _ => wide,
        };
        let [left, right, top, bottom] = match w.upright {
            false => [w.x - before, w.x - before + wide, w.y - 0.5 * w.size, w.y + 0.5 * w.size],
            true => [w.x - 0.5 * w.size, w.x + 0.5 * w.size, w.y - (wide - before), w.y + before],
        };
        let inside = left >= -1.0 && top >= -1.0 && right <= view[2] + 1.0 && bottom <= view[3] + 1.0;
        assert!(inside, "{w:?} leaves the view box {view:?}");
    }
    assert!(svg.matches("<text").count() == svg.matches("font-family=\"DejaVu Sans, ").count());
    let (wide, high) = sheet.pixels();
    assert_eq!(view[2..], [f64::from(wide * 3), f64::from(high * 3)], "three steps per pixel");
    match size {
        Size::Screen => assert!(wide == 1200 && head.contains("width=\"1200\"")),
        Size::Column => assert!(wide == 992 && head.contains("width=\"83.99mm\"")),
        Size::Page => assert!(wide == 2055 && head.contains("width=\"173.99mm\"")),
        Size::Print => assert!(wide == 992 || wide == 2055),
    }
    // The large pictures differ from these in nothing but their size.
    if matches!(size, Size::Page | Size::Print) {
        return svg;
    }
    let png = sheet.png().expect("a PNG");
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((number(16), number(20)), (wide, high));
    assert_eq!(png.windows(4).any(|w| w == b"pHYs"), size == Size::Column, "paper has a resolution, a screen has none");
    svg
}

/// The units that a picture's axes have, and the names it shows.
#[track_caller]
fn shows(svg: &str, wanted: &[&str]) {
    let texts = texts(svg);
    for text in wanted {
        assert!(texts.contains(text), "the picture lacks {text:?}:\n{texts}");
    }
}

const POINTS: &str = "metric,unit,runs,mean,deviation,standard_error,t_low,t_high,bootstrap_low,bootstrap_high,min,max";

/// A sweep of three mechanisms, four idle times and two loads, with two figures.
pub fn sweep() -> Result {
    let mut points = format!("point,isolation,keep_alive_s,load,{POINTS}\n");
    let mut frontier =
        "frontier,point,isolation,keep_alive_s,load,x_metric,x_mean,x_unit,y_metric,y_mean,y_unit,on_frontier\n"
            .to_owned();
    let mut runs =
        "point,replication,seed,isolation,keep_alive_s,load,error,sci.units,sci.g_per_unit,sci.operational_g_per_unit,\
        sci.embodied_g_per_unit,carbon_g.operational_execution,carbon_g.operational_idle_host,sci.unit\n"
            .to_owned();
    let mut n = 0;
    for (weight, name) in [(1.0, "process"), (2.0, "container"), (6.0, "vm & friends <x>")] {
        for keep in [10.0, 60.0, 600.0, 3600.0] {
            for load in [0.2, 0.8] {
                let (sci, p99) = (weight * (1.0 + keep / 6000.0) / (0.5 + load), 3.0 * weight / f64::sqrt(keep));
                for (key, unit, x) in [("sci.g_per_unit", "gCO2e/R", sci), ("latency_s.p99", "s", p99)] {
                    let (low, high) = (0.9 * x, 1.1 * x);
                    points += &format!("{n},{name},{keep},{load},{key},{unit},5,{x},0,0,{low},{high},,,,\n");
                }
                // The table says which points are on a frontier; the figure takes its word.
                let row = format!("{n},{name},{keep},{load}");
                frontier += &format!("0,{row},sci.g_per_unit,{sci},gCO2e/R,latency_s.p99,{p99},s,{}\n", n < 4);
                frontier += &format!("1,{row},latency_s.p99,{p99},s,sci.units,1,R,{}\n", n == 7);
                let grams = [0.8, 0.2, 0.5, 0.3].map(|part| part * sci);
                runs += &format!(
                    "{n},0,1,{name},{keep},{load},,1,{sci},{},{},{},{},call\n",
                    grams[0], grams[1], grams[2], grams[3]
                );
                n += 1;
            }
        }
    }
    let columns = "column,unit,role,meaning\nisolation,text,axis,\nkeep_alive_s,s,axis,\nload,1,axis,\nsci.units,R,metric,\n\
        sci.g_per_unit,gCO2e/R,metric,\n\
        sci.operational_g_per_unit,gCO2e/R,metric,\nsci.embodied_g_per_unit,gCO2e/R,metric,\n\
        carbon_g.operational_execution,gCO2e,metric,\ncarbon_g.operational_idle_host,gCO2e,metric,\nsci.unit,text,text,\n";
    let sensitivity = "metric,axis,first_order,first_low,first_high,total,total_low,total_high\n\
        sci.g_per_unit,load,0.1,0.05,0.15,0.2,0.1,0.3\nsci.g_per_unit,keep_alive_s,0.5,0.4,0.6,0.7,0.6,0.8\n\
        sci.g_per_unit,slack,-0.01,-0.03,0.02,,,\n";
    Result::new(&[
        ("points.csv", points),
        ("frontier.csv", frontier),
        ("runs.csv", runs),
        ("columns.csv", columns.to_owned()),
        ("sensitivity.csv", sensitivity.to_owned()),
        ("differences.csv", "point\n".to_owned()),
        ("manifest.json", "{\"kind\": \"sweep\", \"confidence\": 0.9}".to_owned()),
    ])
}

/// A sweep of one figure, its rows given as axes and mean.
fn small(axes: &str, rows: &[(&str, f64)]) -> Result {
    let mut text = format!("point,{axes},{POINTS}\n");
    for (n, (values, mean)) in rows.iter().enumerate() {
        let mean = if mean.is_finite() { mean.to_string() } else { String::new() };
        text += &format!("{n},{values},cost,EUR,1,{mean},,,,,,,,\n");
    }
    Result::new(&[("points.csv", text)])
}

#[test]
fn a_run_is_drawn_in_every_size() {
    let short = ["workload.poisson.calls=2000", "output.step_s=60", "output.ledger_step_s=60"];
    let run = run_file(&repository("scenarios/quickstart.toml"), &short, 1);
    let uncertain = "part,name,unit,run,at_p05,at_p50,at_p95,mean,sd,input_p05,input_p50,input_p95,input_unit,variance_share\n\
        figure,sci_g_per_unit,gCO2e/call,1,0.8,1,1.3,1,0.1,,,,,\ninput,intensity,gCO2e/call,1,0.9,1,1.2,,,0.9,1,1.1,x,0.7\n\
        input,lifetime,gCO2e/call,1,1.1,1,0.95,,,3,4,5,years,0.2\n";
    fs::write(run.folder().join("uncertainty.csv"), uncertain).expect("writable");
    let wanted: [(&str, &[&str]); 7] = [
        ("over-time", &["CPU in use [%]", "carbon intensity", "gCO₂e/kWh]", "2022-06-06 00:00 UTC [h]"]),
        ("power", &["mean power [kW]", "execution", "idle host", "overhead (PUE)", "IT in total", "UTC [h]"]),
        ("latency", &["from arrival to end [s]", "share of calls [1]", "p50 = ", "p99 = "]),
        ("cold-start", &["from creation to ready [s]", "share of starts [1]"]),
        ("received-executed", &["received", "executed", "calls [1/s]", "CPU in use [%]"]),
        ("sci", &["score [", "gCO₂e/call]", "execution", "embodied", "total"]),
        ("tornado", &["score [gCO₂e/call]", "intensity", "lifetime", "all at once", "70 %"]),
    ];
    for (name, texts) in wanted {
        for size in SIZES {
            let sheet = drawn(&run.folder(), name, &Request::default(), size);
            let svg = is_sound(&sheet, size);
            shows(&svg, texts);
            let head = words(&svg);
            let says = |words: &Words| words.text.starts_with("run out, ");
            assert!(head.iter().take(4).any(says), "which result: {:?}", head[1]);
        }
    }
    let again = drawn(&run.folder(), "power", &Request::default(), Size::Print);
    let once = drawn(&run.folder(), "power", &Request::default(), Size::Print);
    assert_eq!(again.png().expect("a PNG"), once.png().expect("a PNG"));
}

#[test]
fn the_distribution_of_a_run_has_the_quantiles_of_its_summary() {
    let run = run_file(&repository("scenarios/quickstart.toml"), &["workload.poisson.calls=2000"], 1);
    let text = fs::read_to_string(run.folder().join("distributions.csv")).expect("it is always written");
    let value = |distribution: &str, share: &str| -> f64 {
        let start = format!("{distribution},s,{share},");
        let line = text.lines().find(|l| l.starts_with(&start)).unwrap_or_else(|| panic!("no row {start}"));
        line[start.len()..].parse().expect("a number")
    };
    for (share, name) in [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99"), ("0.999", "p999"), ("1", "max")] {
        for distribution in ["latency_s", "service_latency_s"] {
            let own = value(distribution, share);
            let summary = run.number(&format!("{distribution}.{name}"));
            // The summary's largest value is exact, the table's is the middle of its bucket, at most the largest.
            assert!(
                (own / summary - 1.0).abs() < 1.0 / 2048.0 + 1e-12,
                "{distribution} {share}: {own} against {summary}"
            );
        }
    }
    // Half of the starts of a microVM take longer than the half that does not: the mean lies between the ends.
    let (least, most) = (value("start_s", "0"), value("start_s", "1"));
    let mean: f64 = ["limit", "boot", "init"].iter().map(|p| run.number(&format!("start_s.{p}_mean"))).sum();
    assert!(least <= mean * 1.0005 && mean <= most * 1.0005, "{least} {mean} {most}");
}

#[test]
fn a_sweep_is_drawn_in_every_size() {
    let sweep = sweep();
    let wanted: [(&str, &[&str]); 5] = [
        (
            "sci",
            &[
                "score [gCO₂e/call]",
                "execution",
                "idle host",
                "embodied",
                "process / 10 / 0.2",
                "Names: isolation / keep_alive_s / load.",
            ],
        ),
        (
            "frontier",
            &[
                "2 frontiers",
                "sci.g_per_unit [gCO₂e/call]",
                "latency_s.p99 [s]",
                "sci.units against latency_s.p99",
                "sci.units [call]",
                "isolation / keep_alive_s / load",
                "90 % Student t intervals over 5 runs",
            ],
        ),
        (
            "lines",
            &[
                "Bands: 90 % Student t intervals over 5 runs",
                "unpaired",
                "differences.csv",
                "keep_alive_s [s]",
                "gCO₂e/call]",
                "process",
                "vm & friends <x>",
                "load = 0.2",
                "load = 0.8",
            ],
        ),
        ("heat-map", &["sci.g_per_unit [gCO₂e/call]", "load [1]", "isolation", "container"]),
        (
            "tornado",
            &["share of the variance [1]", "keep_alive_s", "load", "slack", "first order", "total", "90 % bootstrap"],
        ),
    ];
    for (name, texts) in wanted {
        for size in SIZES {
            shows(&is_sound(&drawn(sweep.folder(), name, &Request::default(), size), size), texts);
        }
    }
}

#[test]
fn lines_have_a_colour_and_a_mark_each_and_a_band_below() {
    let svg = sweep().draw("lines", &Request::default()).svg().expect("an SVG");
    // Two panels of three lines: as many bands.
    let bands = svg.lines().filter(|l| l.starts_with("<polygon") && attribute(l, "opacity") != "1").count();
    assert_eq!(bands, 6, "{svg}");
    for colour in ["#0072B2", "#D55E00", "#009E73"] {
        assert!(svg.contains(colour), "{colour}");
    }
    let request =
        Request { x: Some("load".to_owned()), series: Some("keep_alive_s".to_owned()), ..asked(&["latency_s.p99"]) };
    let svg = sweep().draw("lines", &request).svg().expect("an SVG");
    shows(&svg, &["latency_s.p99 over load, by keep_alive_s", "keep_alive_s = 3600 s", "container", "load [1]", "[s]"]);
}

#[test]
fn the_frontier_joins_what_no_point_beats() {
    let rows = [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 4.0)];
    let mut text = format!("point,policy,{POINTS}\n");
    for (n, (name, x)) in rows.iter().enumerate() {
        // c is beaten by b: 3 against 2, and 5 against 3.
        let y = [8.0, 3.0, 5.0, 1.0][n];
        text += &format!("{n},{name},cost,EUR,1,{x},,,,,,,,\n{n},{name},wait_s,s,1,{y},,,,,,,,\n");
    }
    let result = Result::new(&[("points.csv", text)]);
    let svg = result.draw("frontier", &asked(&["cost", "wait_s"])).svg().expect("an SVG");
    shows(&svg, &["cost [EUR]", "wait_s [s]", "a", "b", "c", "d"]);
    let stairs = svg.lines().filter(|l| l.starts_with("<polyline") && l.contains("#0072B2"));
    let corners = stairs.map(|l| attribute(l, "points").split_whitespace().count()).max();
    assert_eq!(corners, Some(5), "three points and the two corners between");
}

#[test]
fn a_frontier_is_the_one_that_the_table_says() {
    let svg = sweep().draw("frontier", &Request::default()).svg().expect("an SVG");
    // Circles of the frontiers: four of the first, one of the second; the mark in the legend is one more.
    let circles = svg.lines().filter(|l| l.starts_with("<circle") && l.contains("#0072B2")).count();
    assert_eq!(circles, 4 + 1 + 1, "{svg}");
}

#[test]
fn quantiles_of_a_narrow_distribution_are_not_written_on_the_curve() {
    for values in [[0.98, 0.985, 0.99, 0.995, 1.0], [0.001, 0.01, 0.9, 1.0, 1.0], [1.0; 5]] {
        let mut table = "distribution,unit,share,value\n".to_owned();
        for (share, value) in [0.0, 0.5, 0.95, 0.99, 1.0].iter().zip(values) {
            table += &format!("start_s,s,{share},{value}\n");
        }
        let result =
            Result::new(&[("summary.csv", "key,value,unit,meaning\n".to_owned()), ("distributions.csv", table)]);
        for size in SIZES {
            let svg = is_sound(&drawn(result.folder(), "cold-start", &Request::default(), size), size);
            let curve = svg.lines().filter(|l| l.starts_with("<polyline") && l.contains("#0072B2"));
            let curve = curve.map(|l| attribute(l, "points")).next().expect("a curve");
            let corners = curve.split_whitespace().filter_map(|p| p.split_once(',')?.1.parse::<f64>().ok());
            let top = corners.fold(f64::INFINITY, f64::min);
            let named: Vec<Words> =
                words(&svg).into_iter().filter(|w| w.text.starts_with('p') && w.text.contains(" = ")).collect();
            assert_eq!(named.len(), 3, "{svg}");
            assert!(named.iter().all(|w| w.y + 0.5 * w.size < top), "{named:?} {top}");
        }
    }
}

#[test]
fn lines_of_a_sampled_sweep_are_refused_with_what_to_draw_instead() {
    let rows: Vec<(String, f64)> =
        (0..448).map(|i| (format!("{},{},a", i * 3 % 448, i * 5 % 448), f64::from(i))).collect();
    let rows: Vec<(&str, f64)> = rows.iter().map(|(values, x)| (values.as_str(), *x)).collect();
    let told = small("load,idle_s,policy", &rows).fails("lines", &Request::default());
    assert!(told.contains("448 values: more than 30 lines") && told.contains("--kind heat-map"), "{told}");
    let panels: Vec<(String, f64)> = (0..26).map(|i| (format!("{},{},n{}", i % 2, i % 2, i / 2), 1.0)).collect();
    let panels: Vec<(&str, f64)> = panels.iter().map(|(values, x)| (values.as_str(), *x)).collect();
    let told = small("load,rate,policy", &panels).fails("lines", &Request::default());
    assert!(told.contains("panels, more than 12"), "{told}");
    let few = small("x,policy,place", &[("1,a,u", 1.0), ("2,b,v", 2.0), ("3,a,w", 2.0)]);
    let told = few.fails("lines", &Request::default());
    assert!(told.contains("3 of 3 panels would have fewer than two points along x"), "{told}");
}

#[test]
fn causes_of_a_sweep_are_means_of_ratios_as_its_score_is() {
    // Two runs with 1 and with 9 units: 2 and 0.9 g per unit, so a mean of 1.45, not 10.1 g over 10 units.
    let points = format!("point,policy,{POINTS}\n0,a,sci.g_per_unit,gCO2e/R,2,1.45,,,,,,,,\n");
    let runs = "point,replication,seed,policy,error,sci.units,sci.g_per_unit,sci.embodied_g_per_unit,\
        carbon_g.operational_execution,carbon_g.operational_boot,sci.unit\n\
        0,0,1,a,,1,2,0,1.5,0.5,call\n0,1,2,a,,9,0.9,0,8.1,,call\n";
    let result = Result::new(&[("points.csv", points), ("runs.csv", runs.to_owned())]);
    let svg = result.draw("sci", &Request::default()).svg().expect("an SVG");
    shows(&svg, &["score [gCO₂e/call]", "1.45"]);
    // Execution: (1.5 + 0.9) / 2 = 1.2; boot: (0.5 + 0) / 2 = 0.25. The widths of the bars are as these.
    let wide = |colour: &str| {
        let bars = svg.lines().filter(|l| l.starts_with("<polygon") && l.contains(colour));
        let mut ends = bars.map(|l| {
            let xs: Vec<f64> =
                attribute(l, "points").split_whitespace().filter_map(|p| p.split_once(',')?.0.parse().ok()).collect();
            xs.iter().copied().fold(f64::NEG_INFINITY, f64::max) - xs.iter().copied().fold(f64::INFINITY, f64::min)
        });
        // The first is the box of the legend.
        ends.next_back().expect("a bar")
    };
    let ratio = wide("#0072B2") / wide("#CC79A7");
    assert!((ratio - 1.2 / 0.25).abs() < 0.1, "{ratio}");
}

#[test]
fn an_axis_of_zero_and_numbers_chosen_by_factors_has_a_place_for_zero() {
    let rows = [("0", 1.0), ("10", 2.0), ("60", 3.0), ("600", 4.0), ("3600", 5.0)];
    let svg = is_sound(&small("keep_alive_s", &rows).draw("lines", &Request::default()), Size::Print);
    let at = |text: &str| {
        let below = words(&svg).into_iter().filter(|w| w.text == text && w.anchor == "middle");
        below.map(|w| w.x).next().unwrap_or_else(|| panic!("{text} is not on the axis"))
    };
    let places = ["0", "10", "60", "600", "3600"].map(at);
    assert!(places.windows(2).all(|p| p[1] - p[0] > 50.0), "{places:?}");
}

#[test]
fn a_heat_map_says_its_numbers_and_crosses_what_has_none() {
    let rows = [("2,0.1", 1.0), ("2,0.2", 2.0), ("4,0.1", -3.0), ("4,0.2", f64::NAN)];
    let svg = is_sound(&small("hosts,rate", &rows).draw("heat-map", &Request::default()), Size::Print);
    shows(&svg, &["cost [EUR]", "hosts", "rate", "−3", "Crossed cells have no value."]);
    // The lowest is viridis' darkest, the highest its lightest colour.
    assert!(svg.contains("#440154") && svg.contains("#FDE725"));
}

#[test]
fn a_waterfall_is_drawn_from_a_comparison_and_from_a_run() {
    let compared = Result::new(&[
        ("compare.csv", "policy\nx\n".to_owned()),
        (
            "waterfall.csv",
            "policy,step,label,at,figure,value,change,unit\nx,1,claimed,a,k,0.4,,1\nx,2,a finite fleet,b,k,-0.1,-0.5,1\n\
             x,3,with a forecast,c,k,0.1,0.2,1\n"
                .to_owned(),
        ),
    ]);
    for size in SIZES {
        let svg = is_sound(&drawn(compared.folder(), "waterfall", &Request::default(), size), size);
        shows(&svg, &["x [1]", "claimed", "a finite fleet", "0.4", "−0.1 (−0.5)", "0.1 (+0.2)", "taken away"]);
    }
    let summary = "key,value,unit,meaning\nshifting.saved_operational_share,0.2,1,\nshifting.saved_net_share,-0.05,1,\n\
        shifting.bound_saved_share,0.3,1,\nshifting.saved_of_work_share,0.25,1,\nsci.unit,call,text,\n";
    let run = Result::new(&[("summary.csv", summary.to_owned())]);
    let svg = is_sound(&run.draw("waterfall", &Request::default()), Size::Print);
    shows(
        &svg,
        &[
            "operational emissions saved",
            "embodied carbon of the peak's hosts",
            "−0.05 (−0.25)",
            "bound: perfect knowledge",
        ],
    );
}

#[test]
fn scores_that_span_much_are_drawn_as_what_they_consist_of() {
    let table = "policy,sci.g_per_unit,sci.units,sci.operational_g_per_unit,sci.embodied_g_per_unit,error\n\
        small,0.001,1,0.0004,0.0006,\nlarge,1,1,0.9,0.1,\nnone,,0,,,\n";
    let columns = "key,unit,meaning\npolicy,text,axis: name of the value\nsci.g_per_unit,gCO2e/R,\nsci.units,R,\n\
        sci.operational_g_per_unit,gCO2e/R,\nsci.embodied_g_per_unit,gCO2e/R,\nerror,text,\n";
    let result = Result::new(&[("compare.csv", table.to_owned()), ("compare_columns.csv", columns.to_owned())]);
    let svg = is_sound(&result.draw("sci", &Request::default()), Size::Print);
    shows(&svg, &["part of the score [%]", "span more than a factor of 20", "0.001", "undefined", "small", "large"]);
}

#[test]
fn hard_tables_are_drawn_or_refused_with_a_remedy() {
    // Thirty lines of long names, with negative and huge figures.
    let rows: Vec<(String, f64)> = (0..30)
        .flat_map(|p| {
            [1, 10, 100].map(|x| {
                (
                    format!("policy number {p} with a name that is rather long to write,{x}"),
                    f64::from((p - 9) * x) * 1e9,
                )
            })
        })
        .collect();
    let rows: Vec<(&str, f64)> = rows.iter().map(|(values, x)| (values.as_str(), *x)).collect();
    let many = small("policy,a_key_that_is_much_too_long_to_stand_beside_an_axis_of_a_figure_of_one_column", &rows);
    for size in SIZES {
        for name in ["lines", "heat-map"] {
            let svg = is_sound(&drawn(many.folder(), name, &Request::default(), size), size);
            let names = (0..30).filter(|p| svg.contains(&format!("policy number {p}"))).count();
            assert_eq!(names, 30, "{name} {size:?}");
        }
    }
    // One point, one value of each axis, no numbers at all, no rows at all.
    let one = small("policy,x", &[("a,1", 5.0)]);
    assert!(one.fails("lines", &Request::default()).contains("no numeric axis"));
    assert!(one.fails("heat-map", &Request::default()).contains("fewer than two axes"));
    let alone = Request { x: Some("x".to_owned()), ..Request::default() };
    assert!(one.fails("lines", &alone).contains("fewer than two points"));
    is_sound(&one.draw("frontier", &asked(&["cost", "cost"])), Size::Print);
    let nothing = small("policy,x", &[("a,1", f64::NAN), ("b,2", f64::NAN)]);
    let empty = small("policy,x", &[]);
    for result in [&nothing, &empty, &one] {
        for kind in CATALOGUE {
            for request in [Request::default(), asked(&["cost"]), asked(&["cost", "cost"]), alone.clone()] {
                match kind.draw(result.folder(), &request, Size::Column) {
                    Ok(sheet) => drop(is_sound(&sheet, Size::Column)),
                    Err(error) => assert!(error.to_string().contains("\n  help: "), "{}: {error}", kind.name),
                }
            }
        }
    }
}

#[test]
fn wrong_questions_are_answered_with_what_there_is() {
    let sweep = sweep();
    let wrong = sweep.fails("lines", &asked(&["sci.g_per_unti"]));
    assert!(wrong.contains("no figure sci.g_per_unti") && wrong.contains("sci.g_per_unit"), "{wrong}");
    let axis = Request { x: Some("isolatoin".to_owned()), ..Request::default() };
    assert!(sweep.fails("heat-map", &axis).contains("its axes are isolation, keep_alive_s, load"));
    let names = Request { x: Some("isolation".to_owned()), ..Request::default() };
    assert!(sweep.fails("lines", &names).contains("are names, not numbers"));
    let Err(unknown) = kind("tornada") else { panic!("there is no such kind") };
    assert!(matches!(unknown, PlotError::Unknown { .. }) && unknown.to_string().contains("tornado"));
    let empty = Result::new(&[]);
    assert!(check(empty.folder()).is_err_and(|e| e.to_string().contains("is no result of sim")));
    let broken = Result::new(&[("points.csv", format!("point,x,{POINTS}\n0,1,cost,EUR,1,much,,,,,,,,\n"))]);
    let message = broken.fails("lines", &Request::default());
    assert!(message.contains("\"much\" in row 2, column mean is no number"), "{message}");
}

#[test]
fn every_kind_of_figure_is_explained() {
    let text = fs::read_to_string(repository("docs/figures.md")).expect("docs/figures.md explains the figures");
    for kind in CATALOGUE {
        assert!(text.contains(&format!("\n## `{}`", kind.name)), "docs/figures.md lacks {}", kind.name);
    }
}

#[test]
fn the_font_is_the_one_that_the_sources_name() {
    let font: PathBuf = repository("data/fonts/DejaVuSans.ttf");
    use sha2::{Digest, Sha256};
    let sum: String = Sha256::digest(fs::read(font).expect("readable")).iter().map(|b| format!("{b:02x}")).collect();
    let sources = fs::read_to_string(repository("data/SOURCES.md")).expect("readable");
    let row = sources.lines().find(|l| l.contains("fonts/DejaVuSans.ttf")).expect("a row");
    assert!(row.contains(&sum), "{sum}");
    assert!(repository("data/fonts/LICENSE").is_file());
}
