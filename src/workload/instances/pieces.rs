//! Pieces of usage in a compact form: 12 bytes each, exact, contiguous per instance.

use super::Usage;
use crate::types::{Duration, Memory};

const NANOS_PER_MS: u64 = 1_000_000;
const BYTES_PER_KIB: u64 = 1024;
/// Memory that was not told.
const UNTOLD: u32 = u32::MAX;

/// One piece: milliseconds, millionths of a core, KiB. A piece of 0 ms stands for the one in `wide` that `cpu` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    ms: u32,
    cpu: u32,
    kib: u32,
}

/// A sequence of pieces. What does not fit into the compact form (4,294 cores, 49 days, 4 TiB, or a fraction of a millisecond
/// or of a KiB) is kept in full beside it, so that every piece comes out as it went in.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    compact: Vec<Piece>,
    wide: Vec<Usage>,
}

impl Piece {
    #[inline]
    fn new(usage: Usage) -> Option<Self> {
        let fits = |x: u64| u32::try_from(x).ok();
        let ns = usage.duration.0;
        let kib = match usage.memory {
            None => UNTOLD,
            Some(Memory(bytes)) if bytes % BYTES_PER_KIB == 0 => {
                fits(bytes / BYTES_PER_KIB).filter(|&kib| kib != UNTOLD)?
            }
            Some(_) => return None,
        };
        if ns == 0 || !ns.is_multiple_of(NANOS_PER_MS) {
            return None;
        }
        Some(Self { ms: fits(ns / NANOS_PER_MS)?, cpu: fits(usage.cpu)?, kib })
    }
}

impl Pieces {
    /// How many there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.compact.len()
    }

    /// Adds a piece at the end.
    #[inline]
    pub fn push(&mut self, usage: Usage) {
        match Piece::new(usage) {
            Some(piece) => self.compact.push(piece),
            None => self.push_wide(usage),
        }
    }

    #[cold]
    fn push_wide(&mut self, usage: Usage) {
        let at = u32::try_from(self.wide.len()).expect("4 billion wide pieces do not fit into memory");
        self.wide.push(usage);
        self.compact.push(Piece { ms: 0, cpu: at, kib: UNTOLD });
    }

    /// Makes the last piece longer if it is the same as this one but for its duration and both are compact: the usage at
    /// every instant stays as it is. False: it was left to [`push`](Self::push).
    #[inline]
    pub fn extend_last(&mut self, usage: Usage) -> bool {
        let (Some(last), Some(piece)) = (self.compact.last_mut(), Piece::new(usage)) else { return false };
        if last.ms == 0 || (last.cpu, last.kib) != (piece.cpu, piece.kib) {
            return false;
        }
        match last.ms.checked_add(piece.ms) {
            Some(ms) => {
                last.ms = ms;
                true
            }
            None => false,
        }
    }

    /// The piece at a position.
    #[inline]
    pub fn get(&self, at: usize) -> Option<Usage> {
        let piece = self.compact.get(at)?;
        if piece.ms == 0 {
            return self.wide.get(piece.cpu as usize).copied();
        }
        let memory = (piece.kib != UNTOLD).then(|| Memory(u64::from(piece.kib) * BYTES_PER_KIB));
        Some(Usage { duration: Duration(u64::from(piece.ms) * NANOS_PER_MS), cpu: u64::from(piece.cpu), memory })
    }

    /// Puts the parts `(from, to)` one behind the other in this order.
    pub fn arrange(&mut self, parts: impl Iterator<Item = (usize, usize)>) {
        let mut arranged = Vec::with_capacity(self.compact.len());
        for (from, to) in parts {
            arranged.extend_from_slice(&self.compact[from..to]);
        }
        self.compact = arranged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(ns: u64, cpu: u64, memory: Option<u64>) -> Usage {
        Usage { duration: Duration(ns), cpu, memory: memory.map(Memory) }
    }

    #[test]
    fn every_piece_comes_out_as_it_went_in() {
        assert_eq!(size_of::<Piece>(), 12);
        let all = [
            usage(300_000_000_000, 1_500_000, None),
            usage(1, 7, None),
            usage(1_000_000, u64::from(u32::MAX) + 1, Some(1024)),
            usage(1_000_000, 0, Some(1025)),
            usage(u64::MAX, 3, None),
            usage(2_000_000, 3, Some(4096)),
            usage(2_000_000, 3, Some(u64::from(u32::MAX) * 1024)),
        ];
        let mut pieces = Pieces::default();
        all.iter().for_each(|&u| pieces.push(u));
        assert_eq!(pieces.wide.len(), 5);
        assert_eq!((0..all.len()).map(|i| pieces.get(i).expect("it was pushed")).collect::<Vec<_>>(), all);
        assert_eq!(pieces.get(all.len()), None);
    }

    #[test]
    fn equal_pieces_grow_and_others_do_not() {
        let mut pieces = Pieces::default();
        let step = usage(30_000_000_000, 5, None);
        assert!(!pieces.extend_last(step));
        pieces.push(step);
        assert!(pieces.extend_last(step));
        assert!(!pieces.extend_last(usage(30_000_000_000, 6, None)));
        assert!(!pieces.extend_last(usage(30_000_000_000, 5, Some(0))));
        assert_eq!((pieces.len(), pieces.get(0)), (1, Some(usage(60_000_000_000, 5, None))));
    }
}
