//! The scenarios that claims run, as they stand in the repository, so that the program alone can validate.

/// Path in the repository and text.
pub const ALL: &[(&str, &str)] = &[
    ("scenarios/checks/hotcarbon.toml", include_str!("../../scenarios/checks/hotcarbon.toml")),
    ("scenarios/checks/keep-alive.toml", include_str!("../../scenarios/checks/keep-alive.toml")),
    ("scenarios/checks/keep-alive-sample.csv", include_str!("../../scenarios/checks/keep-alive-sample.csv")),
    ("scenarios/density.toml", include_str!("../../scenarios/density.toml")),
    (
        "scenarios/external/keep-alive-azure-2019.toml",
        include_str!("../../scenarios/external/keep-alive-azure-2019.toml"),
    ),
    ("scenarios/isolation-ladder.toml", include_str!("../../scenarios/isolation-ladder.toml")),
    ("scenarios/multitenancy.toml", include_str!("../../scenarios/multitenancy.toml")),
    ("scenarios/overcommit.toml", include_str!("../../scenarios/overcommit.toml")),
    ("scenarios/papers/carbonscaler.toml", include_str!("../../scenarios/papers/carbonscaler.toml")),
    ("scenarios/papers/gaia.toml", include_str!("../../scenarios/papers/gaia.toml")),
    ("scenarios/papers/lets-wait-awhile-ml.toml", include_str!("../../scenarios/papers/lets-wait-awhile-ml.toml")),
    (
        "scenarios/papers/lets-wait-awhile-periodic.toml",
        include_str!("../../scenarios/papers/lets-wait-awhile-periodic.toml"),
    ),
    ("scenarios/papers/limits-of-shifting.toml", include_str!("../../scenarios/papers/limits-of-shifting.toml")),
    ("scenarios/published/xfaas.toml", include_str!("../../scenarios/published/xfaas.toml")),
    ("scenarios/soft-allocation.toml", include_str!("../../scenarios/soft-allocation.toml")),
    ("scenarios/sunk-carbon.toml", include_str!("../../scenarios/sunk-carbon.toml")),
    ("scenarios/validation/idle-host.toml", include_str!("../../scenarios/validation/idle-host.toml")),
    ("scenarios/validation/idle-host-calls.csv", include_str!("../../scenarios/validation/idle-host-calls.csv")),
    ("scenarios/validation/opendc-tiny.toml", include_str!("../../scenarios/validation/opendc-tiny.toml")),
    ("scenarios/validation/opendc-tiny-calls.csv", include_str!("../../scenarios/validation/opendc-tiny-calls.csv")),
    ("scenarios/validation/opendc-tiny-grid.csv", include_str!("../../scenarios/validation/opendc-tiny-grid.csv")),
    ("scenarios/validation/simfaas.toml", include_str!("../../scenarios/validation/simfaas.toml")),
    ("scenarios/validation/station.toml", include_str!("../../scenarios/validation/station.toml")),
    ("scenarios/xfaas.toml", include_str!("../../scenarios/xfaas.toml")),
    ("scenarios/xfaas-incident.toml", include_str!("../../scenarios/xfaas-incident.toml")),
    ("scenarios/xfaas-negative-control.toml", include_str!("../../scenarios/xfaas-negative-control.toml")),
];

/// The text of a file by its path in the repository.
pub fn text(path: &str) -> Option<&'static str> {
    ALL.iter().find(|(name, _)| *name == path).map(|(_, text)| *text)
}
