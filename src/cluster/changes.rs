//! Which hosts have changed since somebody last looked: a ring of the latest changes.

/// The latest changes of a set of hosts, for readers that keep something per host and bring it up to date when they need it.
///
/// A reader remembers [`now`](Self::now) and later asks what has changed [`since`](Self::since). The ring holds as many
/// changes as there are hosts (at least 64): a reader that has missed more looks at every host anew, which costs
/// no more than the changes that it missed.
#[derive(Debug, Clone)]
pub struct ChangeLog {
    ring: Vec<u32>,
    /// Changes ever written.
    now: u64,
}

/// A ring is no shorter than this.
const SHORTEST: usize = 64;

impl ChangeLog {
    /// An empty log over so many hosts.
    pub fn new(hosts: usize) -> Self {
        Self { ring: vec![0; hosts.max(SHORTEST).next_power_of_two()], now: 0 }
    }

    /// Writes down that a host has changed.
    #[inline]
    pub fn push(&mut self, host: u32) {
        let at = self.now as usize & (self.ring.len() - 1);
        self.ring[at] = host;
        self.now += 1;
    }

    /// What a reader that has seen everything remembers.
    #[inline]
    pub fn now(&self) -> u64 {
        self.now
    }

    /// The hosts that have changed since, oldest first, a host as often as it has changed; `None` if the ring no longer
    /// holds all of them.
    #[inline]
    pub fn since(&self, seen: u64) -> Option<impl Iterator<Item = u32> + '_> {
        let missed = self.now - seen;
        (missed <= self.ring.len() as u64)
            .then(|| (seen..self.now).map(|i| self.ring[i as usize & (self.ring.len() - 1)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_sees_what_it_has_missed_until_the_ring_has_gone_round() {
        let mut log = ChangeLog::new(3);
        let start = log.now();
        for host in [2, 0, 2] {
            log.push(host);
        }
        let seen = |log: &ChangeLog, from| log.since(from).map(|all| all.collect::<Vec<_>>());
        assert_eq!(seen(&log, start), Some(vec![2, 0, 2]));
        assert_eq!(seen(&log, log.now()), Some(vec![]));
        (0..SHORTEST as u32 - 3).for_each(|host| log.push(host));
        assert_eq!(seen(&log, start).map(|all| all.len()), Some(SHORTEST));
        log.push(7);
        assert_eq!(seen(&log, start), None);
        assert_eq!(seen(&log, start + 1).map(|all| all.len()), Some(SHORTEST));
    }
}
