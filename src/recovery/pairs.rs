//! The likeliest pairs of a point: those at its largest entries.

use crate::polytope::Face;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// So many are looked for at first; twice as many when they run out.
const FIRST: usize = 64;

/// The free pairs of a face, those at the largest entries of X first; of equal entries the first row, then the first
/// column. Found when they are asked for.
pub(super) struct LikelyPairs {
    found: Vec<(usize, usize)>,
    are_all: bool,
}

impl LikelyPairs {
    pub fn new() -> Self {
        LikelyPairs { found: vec![], are_all: false }
    }

    /// The pairs of these ranks, as many as there are; X and the face are the same at every call. None that is missing
    /// means anything once `stop` is reached.
    pub fn get(
        &mut self,
        ranks: std::ops::Range<usize>,
        x: &DMatrix<f64>,
        face: &Face,
        stop: &Stop,
    ) -> &[(usize, usize)] {
        if ranks.end > self.found.len() && !self.are_all {
            let most = ranks.end.max(2 * self.found.len()).max(FIRST);
            self.found = likeliest(most, x, face, stop);
            self.are_all = self.found.len() < most;
        }
        let end = ranks.end.min(self.found.len());
        &self.found[ranks.start.min(end)..end]
    }
}

/// The `most` likeliest free pairs. One pass over X, as long as `most` is below n².
fn likeliest(most: usize, x: &DMatrix<f64>, face: &Face, stop: &Stop) -> Vec<(usize, usize)> {
    type Entry = (f64, (usize, usize));
    let larger_first = |a: &Entry, b: &Entry| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let mut found: Vec<Entry> = vec![];
    // What is not before this one is not among them.
    let mut last: Option<Entry> = None;
    for &j in face.free_columns().iter().take_while(|_| !stop.is_reached()) {
        let column = x.column(j);
        let entries = face.free_rows().iter().map(|&i| (column[i], (i, j)));
        found.extend(entries.filter(|entry| last.is_none_or(|last| larger_first(entry, &last).is_lt())));
        if found.len() >= 2 * most + face.size() {
            last = Some(*found.select_nth_unstable_by(most - 1, larger_first).1);
            found.truncate(most);
        }
    }
    found.sort_unstable_by(larger_first);
    found.truncate(most);
    found.into_iter().map(|(_, pair)| pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_in_the_order_of_their_entries_whatever_is_asked_for() {
        let n = 40;
        // Many ties.
        let x = DMatrix::from_fn(n, n, |i, j| ((i * 7 + j * 13 + i * j) % 11) as f64);
        let face = Face::new(n, &[(3, 5)]).unwrap();
        let mut expected: Vec<_> =
            (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|&(i, j)| i != 3 && j != 5).collect();
        expected.sort_by(|&a, &b| x[b].total_cmp(&x[a]).then(a.cmp(&b)));
        let (all, never) = (expected.len(), Stop::never());
        for most in [1, 4, 63, 400, all, all + 1] {
            assert_eq!(likeliest(most, &x, &face, &never), expected[..most.min(all)]);
        }
        let mut pairs = LikelyPairs::new();
        for ranks in [0..4, 4..8, 60..70, 0..1, 500..900, all - 1..all + 3, all..all + 4] {
            let end = ranks.end.min(all);
            assert_eq!(pairs.get(ranks.clone(), &x, &face, &never), &expected[ranks.start..end]);
        }
        assert!(pairs.are_all);
    }
}
