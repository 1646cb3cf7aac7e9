//! The bound under a capacity: a linear program over jobs and steps.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem};

use super::unlimited::{check, end};
use super::{BoundError, Task};
use crate::grid::Signal;
use crate::types::{JOULES_PER_KWH, SimTime};

/// The most variables of a program: one for each job, step of its window and number of nodes. Measured in docs/shifting-scaling.md.
pub const MOST_VARIABLES: usize = 50_000;

/// The fewest grams for all jobs together when they share so many cores \[gCO2e\].
///
/// Formula, with x\[j,t,k\] the hours that job j runs on its k-th number of nodes in step t of the signal:
///
/// ```text
///   min  Σ P(j,k) I(t) x[j,t,k]
///   Σ_tk v(j,k) x[j,t,k]      =  length of j
///   Σ_k  x[j,t,k]             <= what lies of step t in the window of j          x >= 0
///   Σ_jk cores(j,k) x[j,t,k]  <= capacity × length of step t
/// ```
///
/// It is a lower bound for every schedule: jobs may share a core's time, be suspended and change their nodes freely within a step. Without
/// elastic jobs it is a transport problem; it is solved by the simplex method of `microlp`, in a fixed order, so that equal programs give
/// equal bytes. The answer is right to the solver's tolerance (1e-7 of an hour per constraint): allow 1e-6 of the whole when comparing.
///
/// Example: 100 and 50 g/kWh for an hour each, two jobs of an hour, 1 kW and one core: 100 g on two cores, 150 g on one.
///
/// Errors: a job that does not fit into its window; too little capacity; more than [`MOST_VARIABLES`].
pub fn limited(tasks: &[Task], signal: &Signal, cores: f64) -> Result<f64, BoundError> {
    let mut variables = 0;
    for (at, task) in tasks.iter().enumerate() {
        check(at, task, signal)?;
        variables += steps_of(task, signal).count() * task.levels.len();
    }
    if variables > MOST_VARIABLES {
        return Err(BoundError::TooLarge { variables, most: MOST_VARIABLES });
    }
    // Powers differ by orders of magnitude between lists of jobs: the largest is 1 in the program.
    let largest = tasks.iter().flat_map(|t| &t.levels).fold(0.0, |most: f64, l| most.max(l.power_w));
    if largest == 0.0 {
        return Ok(0.0);
    }
    let mut program = Problem::new(OptimizationDirection::Minimize);
    let mut room: BTreeMap<i64, (i64, LinearExpr)> = BTreeMap::new();
    for task in tasks.iter().filter(|t| t.length.0 > 0) {
        let mut work = LinearExpr::empty();
        for (begins, ends, inside, g_per_kwh) in steps_of(task, signal) {
            let mut together = LinearExpr::empty();
            for level in &task.levels {
                let x = program.add_var(level.power_w / largest * g_per_kwh, (0.0, inside));
                work.add(x, level.speed);
                together.add(x, 1.0);
                room.entry(begins).or_insert_with(|| (ends, LinearExpr::empty())).1.add(x, level.cores);
            }
            if task.levels.len() > 1 {
                program.add_constraint(together, ComparisonOp::Le, inside);
            }
        }
        program.add_constraint(work, ComparisonOp::Eq, task.length.as_secs_f64() / 3600.0);
    }
    for (begins, (ends, used)) in room {
        program.add_constraint(used, ComparisonOp::Le, cores * hours(ends - begins));
    }
    let solution = match program.solve() {
        Ok(outcome) => outcome.into_solution().map_err(|_| BoundError::Solver("it was interrupted".into()))?,
        Err(microlp::Error::Infeasible) => return Err(BoundError::NoRoom { cores }),
        Err(error) => return Err(BoundError::Solver(error.to_string())),
    };
    Ok(solution.objective() * largest * 3600.0 / JOULES_PER_KWH)
}

fn hours(ns: i64) -> f64 {
    ns as f64 / 3.6e12
}

/// The steps of a task's window: where each begins and ends [ns from the run's start], how much of it lies in the window \[h\], and its
/// intensity [g/kWh].
fn steps_of<'a>(task: &Task, signal: &'a Signal) -> impl Iterator<Item = (i64, i64, f64, f64)> + 'a {
    let offset = |t: SimTime| i64::try_from(t.0).unwrap_or(i64::MAX);
    let (from, to) = (offset(task.earliest), offset(end(task, signal)));
    signal.intervals_between(from, to).filter_map(move |(begins, ends, g)| {
        let inside = ends.min(to) - begins.max(from);
        (inside > 0).then_some((begins, ends, hours(inside), g.0))
    })
}
