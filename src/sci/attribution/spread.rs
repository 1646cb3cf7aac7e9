//! Spreading the pools over functions as the rules say.

use super::super::{CAUSES, GroupFacts, Scored, Share, charge};
use super::{AttributionSpec, EmbodiedRule, GroupUse, IdleRule, Periods, Pool, RowsError, Rule, Spread, pools};
use crate::ledger::{Account, Accounts};
use crate::types::{FunctionId, GroupId};

/// Parts of one in proportion to weights; `None` if all are zero: then nobody pays.
pub fn portions(weights: &[f64]) -> Option<Vec<f64>> {
    let total: f64 = weights.iter().sum();
    (total > 0.0).then(|| weights.iter().map(|w| w / total).collect())
}

/// Charges functions, beyond what they held, as the rules say. `scored` is the score without any rule.
///
/// Energy and operational emissions keep their causes: what a function pays of idle hosts is `idle_host` in its share, and so on.
///
/// # Errors
/// The accounts by period cannot be read.
pub fn attribute(
    spec: &AttributionSpec,
    mut scored: Scored,
    accounts: &Accounts,
    groups: &[GroupFacts],
    periods: Periods<'_>,
) -> Result<Scored, RowsError> {
    let spreads_idle = !matches!(spec.idle, IdleRule::Unattributed(_));
    let spreads_embodied = !matches!(spec.embodied, EmbodiedRule::Unattributed(_));
    if !spreads_idle && !spreads_embodied {
        return Ok(scored);
    }
    let columns: Vec<Vec<Account>> = (0..groups.len())
        .map(|g| (0..accounts.functions()).map(|f| accounts.row(FunctionId::from_index(f))[g]).collect())
        .collect();
    let all: Vec<(Share, f64)> = columns.iter().zip(groups).map(|(accounts, group)| held(accounts, group)).collect();
    let pools = pools(&scored.regions, groups, &all, periods.end);
    if spreads_idle {
        (scored.unattributed.energy_j, scored.unattributed.operational_g) = ([0.0; CAUSES], [0.0; CAUSES]);
    }
    if spreads_embodied {
        scored.unattributed.embodied_g = 0.0;
        scored.functions.iter_mut().for_each(|f| f.embodied_g = 0.0);
    }
    let (embodied, part) = spec.embodied.rule();
    for (g, (accounts, pool)) in columns.iter().zip(&pools).enumerate() {
        let held_s: Vec<f64> = accounts.iter().map(|a| a.share_s.iter().sum()).collect();
        let dynamic_j: Vec<f64> = accounts.iter().map(|a| a.dynamic_j.iter().sum()).collect();
        let usage = GroupUse { group: GroupId::from_index(g), held_s: &held_s, dynamic_j: &dynamic_j, periods };
        if spreads_idle {
            spread_idle(&mut scored, pool, spec.idle.rule(), &usage)?;
        }
        if spreads_embodied {
            spread_embodied(&mut scored, (pool, groups[g].embodied_g_per_s()), (&*embodied, part), &usage)?;
        }
    }
    Ok(scored)
}

/// What functions held of a group, all together: the charge, and the time [host·s].
fn held(accounts: &[Account], group: &GroupFacts) -> (Share, f64) {
    let mut all = (Share::default(), 0.0);
    for account in accounts {
        all.0.add(&charge(account, group));
        all.1 += account.share_s.iter().sum::<f64>();
    }
    all
}

fn spread_idle(scored: &mut Scored, pool: &Pool, rule: &dyn Rule, usage: &GroupUse<'_>) -> Result<(), RowsError> {
    let pay = |share: &mut Share, portion: f64| {
        let part = |amounts: &[f64; CAUSES]| amounts.map(|amount| amount * portion);
        share.add(&Share { energy_j: part(&pool.energy_j), operational_g: part(&pool.operational_g), embodied_g: 0.0 });
    };
    match portions(&rule.weights(usage)?) {
        Some(portions) => scored.functions.iter_mut().zip(portions).for_each(|(share, portion)| pay(share, portion)),
        None => pay(&mut scored.unattributed, 1.0),
    }
    Ok(())
}

/// With `pool`, functions keep what they held and the rest is spread; with `all`, everything is.
fn spread_embodied(
    scored: &mut Scored,
    (pool, rate_g_per_s): (&Pool, f64),
    (rule, part): (&dyn Rule, Spread),
    usage: &GroupUse<'_>,
) -> Result<(), RowsError> {
    let kept = match part {
        Spread::Pool => rate_g_per_s,
        Spread::All => 0.0,
    };
    let own: f64 = usage.held_s.iter().map(|held_s| held_s * kept).sum();
    // Rounding may leave a fleet that is held whole a hair below zero.
    let left = (pool.embodied_g - own).max(0.0);
    let portions = portions(&rule.weights(usage)?);
    for (f, share) in scored.functions.iter_mut().enumerate() {
        let portion = portions.as_ref().map_or(0.0, |p| p[f]);
        share.embodied_g += usage.held_s[f] * kept + left * portion;
    }
    if portions.is_none() {
        scored.unattributed.embodied_g += left;
    }
    Ok(())
}
