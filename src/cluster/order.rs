//! Hosts in order of one resource, searchable under a second one: what best fit and worst fit ask.

/// No host.
const NIL: u32 = 0;

#[derive(Debug, Clone, Copy)]
struct Node {
    /// What hosts are ordered by.
    rank: u64,
    /// The other resource + 1.
    other: u64,
    /// The largest `other` at and below this node.
    most: u64,
    left: u32,
    right: u32,
    priority: u32,
}

/// Hosts in order of (rank, host number); each knows how much it has of another resource.
///
/// A treap (Seidel and Aragon, *Randomized Search Trees*, Algorithmica 16, 1996) whose nodes carry the largest other resource
/// below them. Every operation takes expected O(log n) whatever the values: also where thousands of hosts have the same rank or
/// none of the other resource. The node of a host is at its number + 1, and its priority is a hash of its number, so that
/// nothing is allocated and nothing is drawn.
#[derive(Debug, Clone)]
pub(super) struct Order {
    root: u32,
    nodes: Vec<Node>,
}

impl Order {
    /// An order of none of so many hosts.
    pub(super) fn new(hosts: usize) -> Self {
        // SplitMix64's finaliser: neighbours get unlike priorities.
        let mix = |i: u64| {
            let z = (i.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ (i >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 32) as u32
        };
        let node = |i| Node { rank: 0, other: 0, most: 0, left: NIL, right: NIL, priority: mix(i) };
        Self { root: NIL, nodes: (0..=hosts as u64).map(node).collect() }
    }

    fn key(&self, at: u32) -> (u64, u32) {
        (self.nodes[at as usize].rank, at)
    }

    #[inline]
    fn pull(&mut self, at: u32) {
        let n = self.nodes[at as usize];
        // Node 0 stands for nothing and has none of either.
        let below = self.nodes[n.left as usize].most.max(self.nodes[n.right as usize].most);
        self.nodes[at as usize].most = n.other.max(below);
    }

    /// Takes a host out if it is there, and puts it where (rank, other) says.
    #[inline]
    pub(super) fn move_to(&mut self, host: u32, is_there: bool, to: Option<(u64, u64)>) {
        if is_there {
            self.remove(host);
        }
        if let Some((rank, other)) = to {
            self.insert(host, rank, other);
        }
    }

    /// Adds a host that is not there.
    fn insert(&mut self, host: u32, rank: u64, other: u64) {
        let at = host + 1;
        let node = &mut self.nodes[at as usize];
        (node.rank, node.other, node.left, node.right) = (rank, other.saturating_add(1), NIL, NIL);
        node.most = node.other;
        self.root = self.insert_below(self.root, at);
    }

    fn insert_below(&mut self, below: u32, at: u32) -> u32 {
        if below == NIL {
            return at;
        }
        if self.nodes[at as usize].priority > self.nodes[below as usize].priority {
            let (left, right) = self.split(below, self.key(at));
            (self.nodes[at as usize].left, self.nodes[at as usize].right) = (left, right);
            self.pull(at);
            return at;
        }
        if self.key(at) < self.key(below) {
            self.nodes[below as usize].left = self.insert_below(self.nodes[below as usize].left, at);
        } else {
            self.nodes[below as usize].right = self.insert_below(self.nodes[below as usize].right, at);
        }
        self.pull(below);
        below
    }

    /// The nodes before a key, and those after it.
    fn split(&mut self, below: u32, key: (u64, u32)) -> (u32, u32) {
        if below == NIL {
            return (NIL, NIL);
        }
        if self.key(below) < key {
            let (left, right) = self.split(self.nodes[below as usize].right, key);
            self.nodes[below as usize].right = left;
            self.pull(below);
            (below, right)
        } else {
            let (left, right) = self.split(self.nodes[below as usize].left, key);
            self.nodes[below as usize].left = right;
            self.pull(below);
            (left, below)
        }
    }

    /// Takes a host out that is there.
    fn remove(&mut self, host: u32) {
        let key = self.key(host + 1);
        self.root = self.remove_below(self.root, key);
    }

    fn remove_below(&mut self, below: u32, key: (u64, u32)) -> u32 {
        let n = self.nodes[below as usize];
        if below == key.1 {
            return self.merge(n.left, n.right);
        }
        if key < self.key(below) {
            self.nodes[below as usize].left = self.remove_below(n.left, key);
        } else {
            self.nodes[below as usize].right = self.remove_below(n.right, key);
        }
        self.pull(below);
        below
    }

    fn merge(&mut self, left: u32, right: u32) -> u32 {
        if left == NIL || right == NIL {
            return left.max(right);
        }
        if self.nodes[left as usize].priority > self.nodes[right as usize].priority {
            self.nodes[left as usize].right = self.merge(self.nodes[left as usize].right, right);
            self.pull(left);
            left
        } else {
            self.nodes[right as usize].left = self.merge(left, self.nodes[right as usize].left);
            self.pull(right);
            right
        }
    }

    /// The host of least (rank, number) with at least this rank and this much of the other resource.
    pub(super) fn first(&self, rank: u64, other: u64) -> Option<usize> {
        (self.first_below(self.root, rank, other) as usize).checked_sub(1)
    }

    fn first_below(&self, mut at: u32, rank: u64, other: u64) -> u32 {
        loop {
            let n = &self.nodes[at as usize];
            if n.most <= other {
                return NIL;
            }
            if n.rank < rank {
                at = n.right;
                continue;
            }
            // Past the first turn to the left every subtree to the right lies in the range as a whole: `most` then says at
            // once whether it holds a host, so that one path is followed, not several.
            let found = self.first_below(n.left, rank, other);
            if found != NIL {
                return found;
            }
            if n.other > other {
                return at;
            }
            at = n.right;
        }
    }

    /// Of the hosts with the highest rank among those with this much of the other resource the lowest-numbered one, if that
    /// rank is at least `rank`.
    pub(super) fn last(&self, rank: u64, other: u64) -> Option<usize> {
        let mut at = self.root;
        loop {
            let n = &self.nodes[at as usize];
            if n.most <= other {
                return None;
            }
            if self.nodes[n.right as usize].most > other {
                at = n.right;
            } else if n.other > other {
                return if n.rank < rank { None } else { self.first(n.rank, other) };
            } else {
                at = n.left;
            }
        }
    }
}
