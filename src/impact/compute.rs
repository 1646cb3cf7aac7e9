//! Walks the tree of a manifest: defaults into rows, regrouping, the pipeline of each component, then aggregation.

use serde_json::{Map, Value, json};

use super::aggregate;
use super::error::{ImpactError, list};
use super::manifest::Plan;
use super::row::{self, Row};

const NODE: &[&str] = &["pipeline", "defaults", "inputs", "outputs", "aggregated", "children"];
const PHASES: &[&str] = &["observe", "regroup", "compute"];

/// Computes a manifest: the same document with `outputs`, and `aggregated` where it asks for that.
///
/// `pipeline` and `defaults` of a node hold for all below it that have none of their own; outputs that stand in the document are
/// computed anew.
///
/// # Errors
/// The manifest is wrong; the error names child, plugin, row and key.
pub fn compute(document: &Value) -> Result<Value, ImpactError> {
    let map = document
        .as_object()
        .ok_or_else(|| ImpactError::new("this is no manifest", "write a map with initialize and tree"))?;
    let plan = Plan::read(map)?;
    let mut tree = map
        .get("tree")
        .and_then(Value::as_object)
        .cloned()
        .ok_or_else(|| ImpactError::new("this map is missing", "write children with inputs").at_key("tree"))?;
    walk(&plan, &mut tree, &mut Vec::new(), Inherited::default())?;
    if let Some(aggregation) = &plan.aggregation {
        aggregate::tree(aggregation, &plan, &mut tree)?;
    }
    let mut computed = map.clone();
    computed.insert("tree".to_owned(), Value::Object(tree));
    let by = format!("slackwater sim {}: impact compute", env!("CARGO_PKG_VERSION"));
    computed.insert("execution".to_owned(), json!({ "command": by, "status": "success" }));
    Ok(Value::Object(computed))
}

/// What a node has from above.
#[derive(Debug, Clone, Copy, Default)]
struct Inherited<'a> {
    pipeline: Option<&'a Pipeline>,
    defaults: Option<&'a Map<String, Value>>,
    /// How many names of the path stand above the node that has the pipeline.
    depth: usize,
}

/// The phases of a pipeline that `sim` runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Pipeline {
    regroup: Vec<String>,
    /// The plugins, in order.
    pub compute: Vec<String>,
}

impl Pipeline {
    /// Reads a pipeline: phases, or in the form of older manifests the list of what is computed.
    ///
    /// # Errors
    /// It is neither, or wants observations to be made.
    pub fn read(value: &Value) -> Result<Self, ImpactError> {
        let names = |value: &Value, key: &str| -> Result<Vec<String>, ImpactError> {
            if value.is_null() {
                return Ok(Vec::new());
            }
            let texts = value.as_array().and_then(|l| l.iter().map(|n| n.as_str().map(str::to_owned)).collect());
            texts.ok_or_else(|| {
                ImpactError::new(format!("{value} is no list of names"), "write for example [sum, sci]").at_key(key)
            })
        };
        if value.is_array() {
            return Ok(Self { regroup: Vec::new(), compute: names(value, "pipeline")? });
        }
        let phases = value
            .as_object()
            .ok_or_else(|| ImpactError::new("the pipeline is no map", "write compute: [names]").at_key("pipeline"))?;
        if let Some(key) = phases.keys().find(|k| !PHASES.contains(&k.as_str())) {
            let help = format!("write {}", list(PHASES.iter().copied()));
            return Err(ImpactError::new("a pipeline has no such phase", help).at_key(key));
        }
        let phase = |key: &str| phases.get(key).map_or(Ok(Vec::new()), |v| names(v, key));
        if let Some(first) = phase("observe")?.first() {
            let help = "write the observations into inputs, and take observe out of the pipeline";
            return Err(
                ImpactError::new(format!("sim makes no observations, and {first:?} would"), help).at_key("observe")
            );
        }
        Ok(Self { regroup: phase("regroup")?, compute: phase("compute")? })
    }
}

fn walk(
    plan: &Plan,
    node: &mut Map<String, Value>,
    path: &mut Vec<String>,
    from: Inherited<'_>,
) -> Result<(), ImpactError> {
    let here = path.clone();
    let wrong = |e: ImpactError| e.in_child(&here);
    if let Some(key) = node.keys().find(|k| !NODE.contains(&k.as_str())) {
        let help = format!("a child has {}", list(NODE.iter().copied()));
        return Err(wrong(ImpactError::new("a child has no such key", help).at_key(key)));
    }
    node.shift_remove("outputs");
    node.shift_remove("aggregated");
    let own = node.get("pipeline").filter(|p| !p.is_null()).map(Pipeline::read).transpose().map_err(wrong)?;
    let defaults = match node.get("defaults") {
        None | Some(Value::Null) => None,
        Some(Value::Object(map)) => Some(map.clone()),
        Some(other) => {
            let error =
                ImpactError::new(format!("{other} is no map"), "write parameter: value pairs").at_key("defaults");
            return Err(wrong(error));
        }
    };
    let mut below = from;
    if let Some(pipeline) = &own {
        (below.pipeline, below.depth) = (Some(pipeline), path.len());
    }
    if defaults.is_some() {
        below.defaults = defaults.as_ref();
    }
    if node.contains_key("children") {
        if node.contains_key("inputs") {
            let help = "put the inputs into a child of their own";
            return Err(wrong(ImpactError::new("a child has inputs and children", help).at_key("inputs")));
        }
        return children(plan, node, path, below);
    }
    let rows = rows(node, below.defaults).map_err(wrong)?;
    let pipeline = below.pipeline.cloned().unwrap_or_default();
    if !pipeline.regroup.is_empty() && !grouped(&pipeline.regroup, &rows, &path[below.depth..]) {
        let groups = regroup(&pipeline.regroup, rows).map_err(wrong)?;
        node.shift_remove("inputs");
        node.insert("children".to_owned(), Value::Object(groups));
        let rest = Pipeline { regroup: Vec::new(), compute: pipeline.compute };
        return children(plan, node, path, Inherited { pipeline: Some(&rest), ..below });
    }
    if pipeline.compute.is_empty() {
        return Ok(());
    }
    let mut computed = rows;
    for name in &pipeline.compute {
        computed = plan.step(name).and_then(|s| s.run(computed, &plan.methods)).map_err(wrong)?;
    }
    node.insert("outputs".to_owned(), Value::Array(computed.into_iter().map(Value::Object).collect()));
    Ok(())
}

fn children(
    plan: &Plan,
    node: &mut Map<String, Value>,
    path: &mut Vec<String>,
    from: Inherited<'_>,
) -> Result<(), ImpactError> {
    let empty =
        || ImpactError::new("children is no map of children", "write name: with inputs below it").at_key("children");
    let children = node.get_mut("children").and_then(Value::as_object_mut).filter(|c| !c.is_empty());
    for (name, child) in children.ok_or_else(|| empty().in_child(path))? {
        path.push(name.clone());
        let child = child.as_object_mut().ok_or_else(|| empty().in_child(path))?;
        walk(plan, child, path, from)?;
        path.pop();
    }
    Ok(())
}

/// The inputs of a component with the defaults filled in.
fn rows(node: &Map<String, Value>, defaults: Option<&Map<String, Value>>) -> Result<Vec<Row>, ImpactError> {
    let inputs = node.get("inputs").and_then(Value::as_array).filter(|l| !l.is_empty()).ok_or_else(|| {
        ImpactError::new("the child has neither inputs nor children", "list at least one observation").at_key("inputs")
    })?;
    let fill = |(n, row): (usize, &Value)| {
        let row = row.as_object().cloned();
        let help = "write parameter: value pairs with timestamp and duration";
        let mut row =
            row.ok_or_else(|| ImpactError::new("the observation is no map", help).at_key("inputs").in_row(n))?;
        for (name, value) in defaults.into_iter().flatten() {
            if row.get(name).is_none_or(Value::is_null) {
                row.insert(name.clone(), value.clone());
            }
        }
        if let Some(duration) = row.get("duration").filter(|d| !d.is_null()) {
            row::duration_s(duration).map_err(|e| e.in_row(n))?;
        }
        Ok(row)
    };
    inputs.iter().enumerate().map(fill).collect()
}

/// Whether rows stand already below children that are named as their groups.
fn grouped(keys: &[String], rows: &[Row], names: &[String]) -> bool {
    let Some(at) = names.len().checked_sub(keys.len()) else { return false };
    let named = |row: &Row| keys.iter().zip(&names[at..]).all(|(k, n)| row.get(k).and_then(Value::as_str) == Some(n));
    rows.iter().all(named)
}

/// Rows by the values of keys: a child per value, one level per key.
fn regroup(keys: &[String], rows: Vec<Row>) -> Result<Map<String, Value>, ImpactError> {
    let Some((key, deeper)) = keys.split_first() else { return Ok(Map::new()) };
    let mut groups: Vec<(String, Vec<Row>)> = Vec::new();
    for (n, row) in rows.into_iter().enumerate() {
        let name = match row.get(key) {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            Some(Value::Number(x)) => x.to_string(),
            _ => {
                let help = "give the parameter in every row, or take it out of regroup";
                return Err(ImpactError::new("the row has no group", help).at_key(key).in_row(n));
            }
        };
        match groups.iter_mut().find(|(g, _)| *g == name) {
            Some((_, members)) => members.push(row),
            None => groups.push((name, vec![row])),
        }
    }
    let mut children = Map::new();
    for (name, members) in groups {
        let child = if deeper.is_empty() {
            json!({ "inputs": members })
        } else {
            json!({ "children": regroup(deeper, members)? })
        };
        children.insert(name, child);
    }
    Ok(children)
}
