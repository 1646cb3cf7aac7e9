//! Requests and free room as vectors of shares: what the rules of vector bin packing compare.

use super::{Ask, Candidate};

/// A request and what is free, each as (CPU, memory) in shares of one host. Where CPU is not counted, both have no CPU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vectors {
    pub demand: [f64; 2],
    pub free: [f64; 2],
}

impl Vectors {
    #[inline]
    pub(super) fn new(ask: &Ask, host: &Candidate<'_>) -> Self {
        let memory = (host.asked_memory(ask), host.free_memory());
        let cpu = host.free_cpu().map_or((0.0, 0.0), |free| (host.asked_cpu(ask), free));
        Self { demand: [cpu.0, memory.0], free: [cpu.1, memory.1] }
    }

    /// The same in shares of the region's largest host.
    #[inline]
    pub(super) fn of_largest(ask: &Ask, host: &Candidate<'_>) -> Self {
        let own = Self::new(ask, host);
        let [cpu, memory] = host.size;
        let scaled = |v: [f64; 2]| [v[0] * cpu, v[1] * memory];
        Self { demand: scaled(own.demand), free: scaled(own.free) }
    }

    /// Formula: sum over resources of weight x demand x free.
    #[inline]
    pub(super) fn dot(&self, [cpu, memory]: [f64; 2]) -> f64 {
        cpu * self.demand[0] * self.free[0] + memory * self.demand[1] * self.free[1]
    }

    /// Formula: sum over resources of weight x (free - demand)^2.
    #[inline]
    pub(super) fn squared_gap(&self, [cpu, memory]: [f64; 2]) -> f64 {
        let gap = [self.free[0] - self.demand[0], self.free[1] - self.demand[1]];
        cpu * gap[0] * gap[0] + memory * gap[1] * gap[1]
    }

    /// Formula: demand · free / (|demand| |free|); 0 where either is nothing.
    #[inline]
    pub(super) fn cosine(&self) -> f64 {
        let dot = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
        let lengths = (dot(self.demand, self.demand) * dot(self.free, self.free)).sqrt();
        if lengths > 0.0 { dot(self.demand, self.free) / lengths } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_can_be_checked_by_hand() {
        let v = Vectors { demand: [0.3, 0.4], free: [0.5, 1.0] };
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        close(v.dot([1.0, 1.0]), 0.55);
        close(v.dot([2.0, 0.5]), 0.5);
        close(v.squared_gap([1.0, 1.0]), 0.4);
        close(v.cosine(), 0.55 / (0.5 * 1.25_f64.sqrt()));
        close(Vectors { demand: [0.0, 0.0], ..v }.cosine(), 0.0);
    }
}
