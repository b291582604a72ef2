//! The best of two matchings, part by part.

use super::layers::Layers;
use super::matching::holders;
use crate::assignment::NONE;

/// The first matching with those parts of the second that are better.
///
/// Vertices on which the two differ fall into parts that can be taken from either: no arc of A joins two of them, and
/// no vertex of B is in both. So f's changes add up, and the child is no worse than the two (partition crossover:
/// Whitley, Hains and Howe, Proc. GECCO 2009, there for tours). O(arcs·log d).
pub(super) fn crossed(layers: &Layers, first: &[u32], second: &[u32]) -> Vec<u32> {
    let differs = |i: usize| first[i] != second[i];
    let mut parts = Parts::new(first.len());
    let holders = holders(layers, first);
    for i in (0..first.len()).filter(|&i| differs(i) && second[i] != NONE) {
        let holder = holders[second[i] as usize];
        if holder != NONE {
            parts.join(i, holder as usize);
        }
    }
    for a in &layers.a {
        a.arcs().filter(|&(i, k, _)| differs(i) && differs(k)).for_each(|(i, k, _)| parts.join(i, k));
    }
    let mut gains = vec![0.0; first.len()];
    for (a, b) in layers.a.iter().zip(&layers.b) {
        let weight = |j: u32, l: u32| if j == NONE || l == NONE { 0.0 } else { b.weight(j as usize, l as usize) };
        for (i, k, arc) in a.arcs().filter(|&(i, k, _)| differs(i) || differs(k)) {
            let gain = layers.affinity.of(arc, weight(second[i], second[k]))
                - layers.affinity.of(arc, weight(first[i], first[k]));
            gains[parts.of(if differs(i) { i } else { k })] += gain;
        }
    }
    for i in (0..first.len()).filter(|&i| differs(i)) {
        gains[parts.of(i)] += layers.similarity_at(i, second[i]) - layers.similarity_at(i, first[i]);
    }
    // Gains are sums of weights, rounded.
    let least = 1e-9 * layers.edge();
    (0..first.len()).map(|i| if differs(i) && gains[parts.of(i)] > least { second[i] } else { first[i] }).collect()
}

/// Disjoint sets, each known by one of its members.
struct Parts(Vec<u32>);

impl Parts {
    fn new(n: usize) -> Self {
        Parts((0..n as u32).collect())
    }

    fn of(&mut self, mut i: usize) -> usize {
        while self.0[i] as usize != i {
            self.0[i] = self.0[self.0[i] as usize];
            i = self.0[i] as usize;
        }
        i
    }

    fn join(&mut self, i: usize, k: usize) {
        let (i, k) = (self.of(i), self.of(k));
        self.0[i.max(k)] = i.min(k) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Permutation;
    use crate::graph::Graph;
    use crate::instance::rng;
    use crate::sparse_form::Affinity;
    use crate::sparse_matrix::SparseMatrix;
    use rand::RngExt;

    #[test]
    fn the_better_half_of_each_comes_together() {
        // Two paths, one turned the wrong way in each matching.
        let path = [(0, 1, 1.0), (1, 2, 1.0), (3, 4, 1.0), (4, 5, 1.0)];
        let graph = Graph::undirected(6, path).unwrap();
        let layers = Layers::new(vec![(graph.clone(), graph)], &[]).unwrap();
        assert_eq!(crossed(&layers, &[0, 1, 2, 4, 3, 5], &[1, 0, 2, 3, 4, 5]), [0, 1, 2, 3, 4, 5]);
        // Turned as wholes they keep as much: similarities speak for turning the one, and against it for the other.
        let s = SparseMatrix::from_entries((6, 6), [(0, 2, 0.1), (5, 3, -0.1)]).unwrap();
        let layers = layers.with_similarity(&s).unwrap();
        assert_eq!(crossed(&layers, &[0, 1, 2, 3, 4, 5], &[2, 1, 0, 5, 4, 3]), [2, 1, 0, 3, 4, 5]);
    }

    #[test]
    fn a_child_is_a_matching_no_worse_than_the_two() {
        for (trial, (n_a, n_b)) in [(30, 30), (30, 40), (40, 30), (60, 60)].into_iter().enumerate() {
            let mut rng = rng(61, trial as u64);
            let mut graph = |n: usize| {
                let arc = |_| (rng.random_range(0..n), rng.random_range(0..n), f64::from(rng.random_range(1..4)));
                Graph::directed(n, (0..n).map(arc).collect::<Vec<_>>()).unwrap()
            };
            let affinity = if trial % 2 == 0 { Affinity::Product } else { Affinity::Minimum };
            let pairs = vec![(graph(n_a), graph(n_b)), (graph(n_a), graph(n_b))];
            // Halves: sums are not rounded.
            let entry =
                |_| (rng.random_range(0..n_a), rng.random_range(0..n_b), 0.5 * f64::from(rng.random_range(-6..7)));
            let similarity = SparseMatrix::from_entries((n_a, n_b), (0..8 * n_a).map(entry)).unwrap();
            let layers = Layers::with_affinity(affinity, pairs, &[]).unwrap().with_similarity(&similarity).unwrap();
            for _ in 0..50 {
                let n = n_a.max(n_b);
                let first = Permutation::random(n, &mut rng);
                let mut second = first.image().to_vec();
                (0..4).for_each(|_| second.swap(rng.random_range(0..n), rng.random_range(0..n)));
                let partners = |image: &[usize]| -> Vec<u32> {
                    image[..n_a].iter().map(|&j| if j < n_b { j as u32 } else { NONE }).collect()
                };
                let (first, second) = (partners(first.image()), partners(&second));
                let child = crossed(&layers, &first, &second);
                let mut seen = vec![false; n_b];
                for &j in child.iter().filter(|&&j| j != NONE) {
                    assert!(!std::mem::replace(&mut seen[j as usize], true));
                }
                assert!(layers.value(&child) >= layers.value(&first).max(layers.value(&second)));
            }
        }
    }
}
