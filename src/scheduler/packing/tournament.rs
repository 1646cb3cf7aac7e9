//! The best host by score: a tournament over the hosts of a region, one part of it per failure domain.

use super::Fleet;
use crate::types::{HostId, RegionId};

/// Scores in fixed point, so that sums are exact and ties are ties: 2^-40 of a point.
const PER_POINT: f64 = (1u64 << 40) as f64;

/// The host is not allowed, or has no room.
pub(super) const NOT_ALLOWED: i64 = i64::MIN;

/// Points in fixed point; beyond ±4 million points they no longer differ.
#[inline]
pub(super) fn fixed(points: f64) -> i64 {
    const MOST: i64 = 1 << 62;
    ((points * PER_POINT + 0.5_f64.copysign(points)) as i64).clamp(-MOST, MOST)
}

/// Where each host of a region stands in its tournaments: by failure domain, in each by number.
#[derive(Debug)]
pub(super) struct Layout {
    /// Parts, a power of two; those past the last failure domain are empty.
    parts: usize,
    /// Places of each part, a power of two.
    width: usize,
    /// The place of each host; empty: its number.
    place: Vec<u32>,
    /// The host at each place; empty: its number.
    host: Vec<u32>,
    /// Whether each part holds higher host numbers than the part before it.
    ascends: bool,
}

impl Layout {
    /// One part with all hosts.
    pub(super) fn whole(hosts: usize) -> Self {
        Self { parts: 1, width: hosts.next_power_of_two().max(1), place: Vec::new(), host: Vec::new(), ascends: true }
    }

    /// A part for each failure domain of the region.
    pub(super) fn by_failure_domain(fleet: &Fleet, region: RegionId, first_host: u32, hosts: usize) -> Self {
        let mut members = vec![Vec::new(); fleet.failure_domains(region).max(1)];
        for local in 0..hosts as u32 {
            members[fleet.failure_domain(HostId(first_host + local)) as usize].push(local);
        }
        let width = members.iter().map(Vec::len).max().unwrap_or(1).next_power_of_two().max(1);
        let parts = members.len().next_power_of_two();
        let (mut place, mut host) = (vec![0; hosts], vec![0; parts * width]);
        for (part, own) in members.iter().enumerate() {
            for (i, &local) in own.iter().enumerate() {
                place[local as usize] = (part * width + i) as u32;
                host[part * width + i] = local;
            }
        }
        let ascends = members.iter().flatten().is_sorted();
        Self { parts, width, place, host, ascends }
    }

    /// How many parts there are; some may be empty.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Whether each part holds higher host numbers than the part before it, as failure domains in runs do.
    pub(super) fn ascends(&self) -> bool {
        self.ascends
    }

    /// Memory of one tournament \[bytes\].
    pub(super) fn bytes(&self) -> usize {
        2 * self.parts * self.width * size_of::<i64>()
    }

    #[inline]
    fn place(&self, host: usize) -> usize {
        if self.place.is_empty() { host } else { self.place[host] as usize }
    }

    fn host(&self, place: usize) -> usize {
        if self.host.is_empty() { place } else { self.host[place] as usize }
    }
}

/// The scores of all hosts of a region, with the best of each half, quarter, … of a part above them. Setting a score takes time
/// logarithmic in the hosts of a part, less where the best above stays the same; the best of a part is known at once, and its host
/// is found in logarithmic time. Ties go to the lowest host number.
#[derive(Debug)]
pub(super) struct Tournament {
    best: Vec<i64>,
}

impl Tournament {
    pub(super) fn new(layout: &Layout) -> Self {
        Self { best: vec![NOT_ALLOWED; 2 * layout.parts * layout.width] }
    }

    /// Of no host.
    pub(super) fn none() -> Self {
        Self { best: Vec::new() }
    }

    /// Sets all scores.
    pub(super) fn fill(&mut self, layout: &Layout, hosts: usize, score: impl Fn(usize) -> i64) {
        let leaves = layout.parts * layout.width;
        for host in 0..hosts {
            self.best[leaves + layout.place(host)] = score(host);
        }
        for at in (layout.parts..leaves).rev() {
            self.best[at] = self.best[2 * at].max(self.best[2 * at + 1]);
        }
    }

    /// Sets the score of one host.
    #[inline]
    pub(super) fn set(&mut self, layout: &Layout, host: usize, score: i64) {
        let mut at = layout.parts * layout.width + layout.place(host);
        if self.best[at] == score {
            return;
        }
        self.best[at] = score;
        while at >= 2 * layout.parts {
            at /= 2;
            let best = self.best[2 * at].max(self.best[2 * at + 1]);
            if self.best[at] == best {
                break;
            }
            self.best[at] = best;
        }
    }

    /// The best score of a part; [`NOT_ALLOWED`] if it has none.
    #[inline]
    pub(super) fn best_of(&self, layout: &Layout, part: usize) -> i64 {
        self.best[layout.parts + part]
    }

    /// The lowest-numbered host of a part that has its best score.
    #[inline]
    pub(super) fn host_of(&self, layout: &Layout, part: usize) -> usize {
        let leaves = layout.parts * layout.width;
        let mut at = layout.parts + part;
        let best = self.best[at];
        while at < leaves {
            at *= 2;
            at += usize::from(self.best[at] != best);
        }
        layout.host(at - leaves)
    }
}
