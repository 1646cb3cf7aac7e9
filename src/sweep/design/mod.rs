//! Where a sweep with sampled axes puts its points: on the unit cube, reproducible one by one.

mod latin_hypercube;
mod random;
mod saltelli;
mod sobol;

use latin_hypercube::LatinHypercube;
use random::Random;
use saltelli::Saltelli;
use sobol::Sobol;

use crate::types::Seed;

/// The most dimensions of a Sobol sequence; `saltelli` needs two for each axis.
pub const MOST_DIMENSIONS: usize = sobol::DIMENSIONS;

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Independent uniform points.
    Random,
    /// One point in each of `count` equal slices of every axis.
    LatinHypercube,
    /// The scrambled Sobol sequence.
    Sobol,
    /// Base samples for sensitivity indices: k + 2 points each.
    Saltelli,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Random, Self::LatinHypercube, Self::Sobol, Self::Saltelli];

    /// As it is written in a sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::LatinHypercube => "latin-hypercube",
            Self::Sobol => "sobol",
            Self::Saltelli => "saltelli",
        }
    }

    /// Whether a larger count only appends points, so that a sweep can grow.
    pub fn grows(self) -> bool {
        self != Self::LatinHypercube
    }

    /// Whether counts that are powers of two are better than others.
    pub fn likes_powers_of_two(self) -> bool {
        matches!(self, Self::Sobol | Self::Saltelli)
    }
}

/// Why there is no such design.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DesignError {
    /// No axis.
    #[error("{method} has no axis to sample\n  help: add an axis with uniform or log_uniform")]
    NoAxis {
        /// The method.
        method: &'static str,
    },
    /// No points.
    #[error("{method} has a count of 0\n  help: set sample.count to 1 or more")]
    NoPoints {
        /// The method.
        method: &'static str,
    },
    /// More axes than the table of direction numbers has.
    #[error(
        "{method} takes at most {most} sampled axes, and there are {axes}\n  help: use latin-hypercube or random, or fewer axes"
    )]
    TooManyAxes {
        /// The method.
        method: &'static str,
        /// How many there are.
        axes: usize,
        /// How many there may be.
        most: usize,
    },
    /// More points than 32 bits number.
    #[error("{method} takes at most 4294967296 points, and there are {points}\n  help: lower sample.count")]
    TooManyPoints {
        /// The method.
        method: &'static str,
        /// How many there are.
        points: usize,
    },
}

enum Kind {
    Random(Random),
    LatinHypercube(LatinHypercube),
    Sobol(Sobol),
    Saltelli(Saltelli),
}

/// Points of the open unit cube, computed when they are asked for.
///
/// Memory does not grow with the number of points, but for the Latin hypercube: 4 bytes per point and axis. Every coordinate lies in
/// (0, 1), the ends excluded; mapping it to an axis is the caller's.
pub struct Design {
    kind: Kind,
    points: usize,
}

impl Design {
    /// A design of so many points (of `saltelli`: base samples) on so many axes.
    ///
    /// # Errors
    /// No axis, no point, or more than the method takes.
    pub fn new(method: Method, count: usize, axes: usize, seed: Seed) -> Result<Self, DesignError> {
        let name = method.name();
        if axes == 0 {
            return Err(DesignError::NoAxis { method: name });
        }
        if count == 0 {
            return Err(DesignError::NoPoints { method: name });
        }
        let most = match method {
            Method::Random | Method::LatinHypercube => usize::MAX,
            Method::Sobol => MOST_DIMENSIONS,
            Method::Saltelli => MOST_DIMENSIONS / 2,
        };
        if axes > most {
            return Err(DesignError::TooManyAxes { method: name, axes, most });
        }
        let points = if method == Method::Saltelli { count.saturating_mul(axes + 2) } else { count };
        if count as u64 > 1 << 32 || points as u64 > 1 << 52 {
            return Err(DesignError::TooManyPoints { method: name, points });
        }
        let kind = match method {
            Method::Random => Kind::Random(Random::new(axes, seed)),
            Method::LatinHypercube => Kind::LatinHypercube(LatinHypercube::new(count, axes, seed)),
            Method::Sobol => Kind::Sobol(Sobol::scrambled(axes, seed.derive("design-sobol"))),
            Method::Saltelli => Kind::Saltelli(Saltelli::new(axes, seed)),
        };
        Ok(Self { kind, points })
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points
    }

    /// Whether there is none; there always is one.
    pub fn is_empty(&self) -> bool {
        self.points == 0
    }

    /// Point `i`, counted from 0, one coordinate per axis.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn point(&self, i: usize) -> Vec<f64> {
        assert!(i < self.points, "point {i} of {}", self.points);
        match &self.kind {
            Kind::Random(d) => d.point(i),
            Kind::LatinHypercube(d) => d.point(i),
            Kind::Sobol(d) => d.point(i),
            Kind::Saltelli(d) => d.point(i),
        }
    }
}

#[cfg(test)]
mod tests;
