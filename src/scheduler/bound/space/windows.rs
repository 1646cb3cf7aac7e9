//! Sums, minima and smallest values over windows that slide along a series.

/// The sum of every window of `length` values, from differences of running sums.
pub(super) fn sums(values: &[f64], length: usize) -> Vec<f64> {
    let mut running = Vec::with_capacity(values.len() + 1);
    running.push(0.0);
    let mut sum = 0.0;
    running.extend(values.iter().map(|v| {
        sum += v;
        sum
    }));
    (length..running.len()).map(|end| running[end] - running[end - length]).collect()
}

/// The least value of every window of `length` values; each value enters and leaves a queue once.
pub(super) fn minima(values: &[f64], length: usize) -> Vec<f64> {
    let mut rising: std::collections::VecDeque<usize> = std::collections::VecDeque::new();
    let mut found = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        while rising.back().is_some_and(|&last| values[last] >= *value) {
            rising.pop_back();
        }
        rising.push_back(at);
        if rising[0] + length <= at {
            rising.pop_front();
        }
        if at + 1 >= length {
            found.push(values[rising[0]]);
        }
    }
    found
}

/// The sum of the `count` smallest values of every window of `length` values.
///
/// A tree over the values in order of size holds how many of each part lie in the window and their sum. A sum is always added up anew
/// from its two halves, so that nothing drifts. Time: two ways through the tree for each window.
pub(super) fn smallest(values: &[f64], count: usize, length: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut rank = vec![0; values.len()];
    order.iter().enumerate().for_each(|(r, &at)| rank[at] = r);
    let leaves = values.len().next_power_of_two();
    let mut tree: Vec<(u32, f64)> = vec![(0, 0.0); 2 * leaves];
    let set = |tree: &mut Vec<(u32, f64)>, at: usize, entry: (u32, f64)| {
        let mut node = leaves + rank[at];
        tree[node] = entry;
        while node > 1 {
            node /= 2;
            let (left, right) = (tree[2 * node], tree[2 * node + 1]);
            tree[node] = (left.0 + right.0, left.1 + right.1);
        }
    };
    let mut found = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        set(&mut tree, at, (1, *value));
        if at + 1 < length {
            continue;
        }
        let (mut node, mut wanted, mut sum) = (1, count as u32, 0.0);
        while node < leaves {
            let left = tree[2 * node];
            if left.0 >= wanted {
                node *= 2;
            } else {
                (wanted, sum) = (wanted - left.0, sum + left.1);
                node = 2 * node + 1;
            }
        }
        found.push(if wanted > 0 { sum + tree[node].1 } else { sum });
        set(&mut tree, at + 1 - length, (0, 0.0));
    }
    found
}
