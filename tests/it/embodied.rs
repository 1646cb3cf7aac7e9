//! Embodied emissions: the values of Boavizta (those of the Impact Framework are in `impact.rs`), and what scenarios make of estimates, lives and time.

use serde_json::Value as Json;
use slackwater::cluster::server_types;
use slackwater::sci::embodied::EmbodiedSpec;

use crate::lab::{Lab, Run, close, repository};
use crate::validate::hold;

#[test]
fn every_component_server_and_instance_of_boavizta_comes_back() {
    hold(&["O-boavizta-components", "O-boavizta-instances"]);
}

const HOUR_G: f64 = 1000.0 * 1000.0 / (4.0 * 31_536_000.0) * 3600.0;

/// Two hosts for an hour, one call of a second on one of them.
fn lab() -> Lab {
    let scenario = r#"
[time]
duration_s = 3600
end = "fixed"
drain_limit_s = 0
[isolation.process]
[servers.box]
cores = 4
memory_mb = 10_000
power.linear = { idle_w = 100.0, max_w = 300.0 }
embodied_kg = 1000.0
lifetime_years = 4.0
[[regions]]
name = "here"
pue = 1.0
grid.constant.g_per_kwh = 360.0
hosts = [{ server = "box", count = 2 }]
[workload.calls]
path = "calls.csv"
"#;
    Lab::new(scenario).file("calls.csv", "arrival_time_s,function_id,duration_s,memory_mb\n0,a,1800,2500\n")
}

fn embodied_g(run: &Run) -> f64 {
    let (functions, hosts) = (run.table("functions.csv"), run.table("hosts.csv"));
    let m = run.number("carbon_g.embodied");
    close("functions and the rest", functions.column("embodied_g").iter().sum(), m, 1e-9);
    close("hosts", hosts.column("embodied_g").iter().sum(), m, 1e-9);
    m
}

#[test]
fn a_life_bears_its_years_or_what_the_others_leave() {
    let m = |set: &[&str]| embodied_g(&lab().run(set));
    close("alone", m(&[]), 2.0 * HOUR_G, 1e-12);
    // 4 of 6 years: each year of the server bears the same.
    close("sold", m(&["servers.box.second_life.years=2"]), 2.0 * HOUR_G * 4.0 / 6.0, 1e-12);
    close("used", m(&["servers.box.first_life.years=4"]), HOUR_G, 1e-12);
    close("share", m(&["servers.box.second_life.share=0.25"]), 2.0 * HOUR_G * 0.75, 1e-12);
    let both = ["servers.box.first_life.share=0.5", "servers.box.second_life.years=1"];
    close("both", m(&both), 2.0 * HOUR_G * 0.5 * 0.8, 1e-12);
    // A building of 20 years, shared by 100 servers, is not shared with other owners: 50 kg per server and year.
    let building = "servers.box.surroundings.building={ kg = 1e5, servers = 100, lifetime_years = 20 }";
    let more = 2.0 * 50_000.0 / 8760.0;
    close("building", m(&[building, "servers.box.first_life.years=4"]), HOUR_G + more, 1e-12);
}

#[test]
fn estimates_stand_in_for_the_figure_of_the_catalogue_and_the_manifest_shows_their_parts() {
    let estimate = "servers.box.embodied={ teads = { cpus = 2, ssds = 1 } }";
    let catalogue = "[servers.box]\ntype = \"xeon-8280l-2s\"\n";
    let text = std::fs::read_to_string(lab().scenario()).expect("readable");
    let (head, tail) = (text.split("[servers.box]").next().expect("a head"), text.split("[[regions]]").nth(1));
    let text = format!("{head}{catalogue}[[regions]]{}", tail.expect("a tail"));
    let lab = Lab::new(&text).file("calls.csv", "arrival_time_s,function_id,duration_s,memory_mb\n0,a,1800,2500\n");
    let listed = server_types().find("xeon-8280l-2s").expect("it is listed").embodied_kg;
    close("listed", embodied_g(&lab.run(&[])), 2.0 * HOUR_G * listed / 1000.0, 1e-12);
    let run = lab.run(&[estimate]);
    // The catalogue's figure is rounded to a hundredth, its memory to a whole MB.
    close("teads", embodied_g(&run), 2.0 * HOUR_G * (listed + 100.0) / 1000.0, 1e-5);
    let manifest = std::fs::read_to_string(run.folder().join("manifest.json")).expect("a manifest");
    let manifest: Json = serde_json::from_str(&manifest).expect("JSON");
    let parts = manifest["embodied"]["box"].as_array().expect("parts");
    let sum: f64 = parts.iter().map(|p| p["kg"].as_f64().expect("kg")).sum();
    close("parts", sum, listed + 100.0, 1e-5);
    assert!(manifest["scenario"]["servers"]["box"]["embodied_kg"].is_null(), "both would be refused");
    assert_eq!(manifest["scenario"]["servers"]["box"]["embodied"]["teads"]["cpus"], 2);
}

#[test]
fn what_does_not_go_together_is_named() {
    let refused = |set: &[&str], words: &[&str]| {
        let message = lab().fails(set);
        for word in words {
            assert!(message.contains(word), "{set:?} does not say \"{word}\": {message}");
        }
    };
    refused(
        &["servers.box.embodied={ teads = { cpus = 1 } }"],
        &["\"embodied_kg\" and \"embodied\"", "delete the other"],
    );
    refused(&["servers.box.embodied={ teads = { cpus = 1 }, boavizta = {} }"], &["holds 2 choices"]);
    refused(&["servers.box.embodied={ teads = { cpus = 0 } }"], &["servers.box.embodied.teads.cpus"]);
    refused(&["servers.box.embodied={ teads = { cpus = 1, gpu = 1 } }"], &["did you mean \"gpus\""]);
    refused(&["servers.box.embodied={ boavizta = { cpus = {}, ram = [] } }"], &["at least 1 element"]);
    let density = "{ boavizta = { cpus = {}, ram = [{ capacity_gb = 1.0, density_gb_per_cm2 = nan }] } }";
    refused(&[&format!("servers.box.embodied={density}")], &["density_gb_per_cm2", "nan"]);
    refused(&["servers.box.second_life.years=-1"], &["second_life.years", "0.001"]);
    refused(&["servers.box.second_life.share=1.5"], &["second_life.share"]);
    refused(&["servers.box.second_life={ share = 0.5, years = 2 }"], &["holds 2 choices"]);
    let shares = ["servers.box.first_life.share=0.6", "servers.box.second_life.share=0.6"];
    refused(&shares, &["sum to 1.2", "servers.box.second_life"]);
    // Nobody declares M away, neither by a share nor by an endless life elsewhere.
    refused(&["servers.box.first_life.share=1"], &["servers.box.first_life.share", "less than 1"]);
    let whole = ["servers.box.first_life.share=0.5", "servers.box.second_life.share=0.5"];
    refused(&whole, &["sum to 1", "nothing is left for this life"]);
    refused(&["servers.box.second_life.years=1e300"], &["second_life.years", "1000"]);
    refused(&["servers.box.second_life.years=inf"], &["second_life.years"]);
    refused(&["servers.box.lifetime_basis=\"calendar\""], &["existence", "use"]);
    refused(&["servers.box.surroundings.rack={ kg = 1.0 }"], &["lifetime_years"]);
    refused(&["servers.box.surroundings.rack={ kg = 1.0, servers = 0, lifetime_years = 1 }"], &["rack.servers"]);
}

#[test]
fn the_reference_shows_every_key_of_embodied_emissions() {
    let text = std::fs::read_to_string(repository("scenarios/reference.toml")).expect("readable");
    let schema = slackwater::scenario::schema();
    let tables = [
        "Boavizta",
        "Cpus",
        "Modules",
        "Ssds",
        "PowerSupplies",
        "Accelerators",
        "TeadsAdders",
        "Surroundings",
        "Surrounding",
    ];
    for table in tables {
        let keys = schema["$defs"][table]["properties"].as_object();
        for key in keys.unwrap_or_else(|| panic!("no {table} in the schema")).keys() {
            assert!(text.contains(&format!("{key} = ")), "{table}.{key} is not in scenarios/reference.toml");
        }
    }
    // The commented alternatives are right.
    let at = |head: &str| text.find(head).unwrap_or_else(|| panic!("{head} is not in the reference"));
    for head in
        ["# [servers.epyc.embodied.boavizta]", "# [servers.epyc.embodied.teads]", "# [servers.epyc.surroundings]"]
    {
        let lines = text[at(head)..].lines().take_while(|l| l.starts_with('#'));
        let table: String = lines.map(|l| format!("{}\n", l.trim_start_matches(['#', ' ']))).collect();
        let kept: Vec<&str> = table.lines().filter(|l| l.contains(" = ") || l.starts_with('[')).collect();
        let parsed: toml::Table = toml::from_str(&kept.join("\n")).unwrap_or_else(|e| panic!("{head}: {e}\n{table}"));
        let server = &parsed["servers"]["epyc"];
        match server.get("embodied") {
            Some(estimate) => drop(estimate.clone().try_into::<EmbodiedSpec>().expect("a right estimate")),
            None => {
                let parts = server["surroundings"].clone();
                parts.try_into::<slackwater::sci::embodied::Surroundings>().expect("right surroundings");
            }
        }
    }
}
