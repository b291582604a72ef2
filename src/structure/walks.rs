//! Closed non-backtracking walks, counted vertex by vertex.

use super::arcs::{Arcs, NONE};
use crate::graph::Graph;
use crate::stop::Stop;
use rayon::prelude::*;

/// Lengths of the closed walks that are counted.
pub(super) const LENGTHS: std::ops::RangeInclusive<usize> = 3..=7;

/// A closed walk of length 7 is one of length 3 from its vertex and one of length 4 back to it.
const HALF: usize = 4;

/// For each vertex, the closed non-backtracking walks of each of [`LENGTHS`]: Σ over v = x_0, x_1, …, x_L = v with
/// x_{t+1} ≠ x_{t−1} of the product of the arcs' weights (times `unit`). Loops are left out.
///
/// Each is met in the middle: with S_p(b) and u_p(c→b) the walks of length p from v that end in b, and in b by the arc
/// c→b, and S'_q, u'_q the same for walks back to v, there are Σ_b S_p(b)S'_q(b) − Σ_{c,b} u_p(c→b)u'_q(b→c) of length
/// p + q: the second sum are those that turn round in b. A step costs O(arcs reached): u_{p+1}(b→c) = w(b→c)·(S_p(b) −
/// u_p(c→b)). Once `stop` is reached, the counts that are left mean nothing.
pub(super) fn closed_walks(graph: &Graph, unit: f64, stop: &Stop) -> Vec<Vec<f64>> {
    let forward = Arcs::of(graph, unit);
    let backward = (!graph.is_symmetric()).then(|| Arcs::of(&graph.transpose(), unit));
    let twins = backward.as_ref().map(|backward| forward.twins(backward, |i, k| (i, k)));
    let new_walks = || (Walks::of(&forward), backward.as_ref().map(Walks::of));
    let counts = (0..graph.vertex_count()).into_par_iter().map_init(new_walks, |(out, back), v| {
        out.start_at(v, stop);
        let back = back.as_mut().map(|back| {
            back.start_at(v, stop);
            &*back
        });
        let back = back.unwrap_or(out);
        let count = |length: usize| {
            let (p, q) = (length / 2, length - length / 2);
            let meet = out.ends[p].iter().map(|&b| out.at[p][b as usize] * back.at[q][b as usize]).sum::<f64>();
            let turn = out.last[p].iter().map(|&e| {
                let twin = twins.as_ref().map_or(e, |twins| twins[e as usize]);
                if twin == NONE { 0.0 } else { out.by[p][e as usize] * back.by[q][twin as usize] }
            });
            meet - turn.sum::<f64>()
        };
        LENGTHS.map(count).collect()
    });
    counts.collect()
}

/// The walks from one vertex of every length up to [`HALF`].
struct Walks<'a> {
    arcs: &'a Arcs,
    /// S_p: weight of the walks of length p that end in a vertex.
    at: Vec<Vec<f64>>,
    /// u_p: weight of the walks of length p whose last arc is this.
    by: Vec<Vec<f64>>,
    /// Where `at` is not 0.
    ends: Vec<Vec<u32>>,
    /// Where `by` is not 0.
    last: Vec<Vec<u32>>,
    /// The last (start, length) at which a vertex was met.
    seen: Vec<u64>,
    stamp: u64,
}

impl<'a> Walks<'a> {
    fn of(arcs: &'a Arcs) -> Self {
        let levels = |length: usize| vec![vec![0.0; length]; HALF + 1];
        let n = arcs.vertex_count();
        let none = vec![vec![]; HALF + 1];
        Walks {
            arcs,
            at: levels(n),
            by: levels(arcs.len()),
            ends: none.clone(),
            last: none,
            seen: vec![0; n],
            stamp: 0,
        }
    }

    fn start_at(&mut self, v: usize, stop: &Stop) {
        for p in 0..=HALF {
            self.ends[p].drain(..).for_each(|b| self.at[p][b as usize] = 0.0);
            self.last[p].drain(..).for_each(|e| self.by[p][e as usize] = 0.0);
        }
        self.at[0][v] = 1.0;
        self.ends[0].push(v as u32);
        for p in (0..HALF).take_while(|_| !stop.is_reached()) {
            self.step(p);
        }
    }

    /// Walks of length p + 1 from those of length p.
    fn step(&mut self, p: usize) {
        self.stamp += 1;
        let (at, next_at) = self.at.split_at_mut(p + 1);
        let (by, next_by) = self.by.split_at_mut(p + 1);
        let (ends, next_ends) = self.ends.split_at_mut(p + 1);
        for &b in &ends[p] {
            let arriving = at[p][b as usize];
            for e in self.arcs.range(b as usize) {
                let reverse = self.arcs.reverse(e);
                let back = if reverse == NONE { 0.0 } else { by[p][reverse as usize] };
                let weight = self.arcs.weight(e) * (arriving - back);
                if weight == 0.0 {
                    continue;
                }
                let c = self.arcs.target(e);
                next_by[0][e] = weight;
                self.last[p + 1].push(e as u32);
                next_at[0][c] += weight;
                if self.seen[c] != self.stamp {
                    self.seen[c] = self.stamp;
                    next_ends[0].push(c as u32);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_gaussian, noisy_erdos_renyi, rng};
    use rand::RngExt;

    /// By following every walk.
    fn enumerated(graph: &Graph, v: usize, length: usize) -> f64 {
        fn follow(graph: &Graph, walk: &mut Vec<usize>, left: usize) -> f64 {
            let here = walk[walk.len() - 1];
            if left == 0 {
                return if here == walk[0] { 1.0 } else { 0.0 };
            }
            let (targets, weights) = graph.neighbours(here);
            let mut sum = 0.0;
            for (&next, &weight) in targets.iter().zip(weights) {
                if next != here && (walk.len() < 2 || walk[walk.len() - 2] != next) {
                    walk.push(next);
                    sum += weight * follow(graph, walk, left - 1);
                    walk.pop();
                }
            }
            sum
        }
        follow(graph, &mut vec![v], length)
    }

    fn assert_counts(graph: &Graph) {
        let counts = closed_walks(graph, 1.0, &Stop::never());
        for (v, counts) in counts.iter().enumerate() {
            for (&count, length) in counts.iter().zip(LENGTHS) {
                let expected = enumerated(graph, v, length);
                let tolerance = 1e-10 * expected.abs().max(1.0);
                assert!((count - expected).abs() < tolerance, "vertex {v}, length {length}: {count}, not {expected}");
            }
        }
    }

    #[test]
    fn counts_are_those_of_following_every_walk() {
        assert_counts(&noisy_erdos_renyi(14, 4.0, 0.1, &mut rng(1, 0)).unwrap().a);
        // Weights of both signs, whose sums may vanish.
        assert_counts(&correlated_gaussian(6, 0.5, &mut rng(2, 0)).unwrap().a);
        let signs = [(0, 1, 1.0), (1, 2, 1.0), (0, 3, 1.0), (3, 2, -1.0), (2, 4, 1.0), (4, 0, 1.0)];
        assert_counts(&Graph::undirected(5, signs).unwrap());
        // Directed, with arcs in both directions, and loops.
        let mut rng = rng(3, 0);
        let arcs: Vec<_> = (0..60).map(|_| (rng.random_range(0..12), rng.random_range(0..12), 1.0)).collect();
        assert_counts(&Graph::directed(12, arcs).unwrap());
    }

    #[test]
    fn a_cycle_is_walked_in_both_directions() {
        let ring = Graph::undirected(5, (0..5).map(|i| (i, (i + 1) % 5, 1.0))).unwrap();
        assert_eq!(closed_walks(&ring, 1.0, &Stop::never())[2], [0.0, 0.0, 2.0, 0.0, 0.0]);
        assert_eq!(closed_walks(&ring, 2.0, &Stop::never())[2][2], 64.0);
    }
}
