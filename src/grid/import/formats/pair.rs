//! A direct and a life-cycle column side by side: which one is read, and whether the two can be what they are said to be.

use crate::grid::import::table::Table;
use crate::grid::import::{Basis, ImportError, ImportSpec, Place};

/// Where the two columns stand, as far as they are there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub direct: Option<usize>,
    pub lca: Option<usize>,
}

/// The name of a basis of Electricity Maps' factors.
pub(super) fn name(basis: Basis) -> &'static str {
    match basis {
        Basis::Direct => "direct, Electricity Maps",
        Basis::LifeCycle => "life cycle, Electricity Maps",
    }
}

impl Pair {
    /// The column that `basis` or `column` names; the only one where there is one.
    pub fn choose(&self, table: &Table, spec: &ImportSpec) -> Result<(usize, Basis), ImportError> {
        let named = match &spec.column {
            None => None,
            Some(column) => Some(table.need(column)?),
        };
        let both = [(self.direct, Basis::Direct), (self.lca, Basis::LifeCycle)];
        let wanted: Vec<(usize, Basis)> = both
            .into_iter()
            .filter_map(|(at, basis)| at.map(|at| (at, basis)))
            .filter(|(at, basis)| spec.basis.is_none_or(|b| b == *basis) && named.is_none_or(|n| n == *at))
            .collect();
        match wanted.as_slice() {
            [only] => Ok(*only),
            [] => {
                let what = "no column holds carbon intensity on the basis that is asked for".to_owned();
                Err(table.error(Place::Line(1), what, format!("the columns are {}", table.header())))
            }
            _ => Err(table.error(
                Place::Line(1),
                "carbon intensity stands there by direct and by life-cycle factors",
                "choose basis: direct or life-cycle (they differ by tens of percent)",
            )),
        }
    }

    /// Life-cycle factors hold the direct ones: counts the rows where they do not, and says so.
    pub fn check(&self, table: &Table) -> Result<Option<String>, ImportError> {
        let (Some(direct), Some(lca)) = (self.direct, self.lca) else { return Ok(None) };
        let mut above = 0;
        for (place, cells) in &table.rows {
            let values = (table.number(*place, &cells[direct])?, table.number(*place, &cells[lca])?);
            above += usize::from(matches!(values, (Some(d), Some(l)) if d > l));
        }
        Ok((above > 0).then(|| {
            format!(
                "`{}` exceeds `{}` in {above} of {} rows: the two columns are no direct and life-cycle pair of one mix",
                table.name(direct),
                table.name(lca),
                table.rows.len()
            )
        }))
    }
}
