//! Which pairs of an answer can be trusted.

use crate::graph::Graph;
use crate::permutation::Permutation;

/// The share of the vertices whose pairs are trusted.
const TRUSTED: f64 = 0.2;

/// The pairs (i, p(i)) of an answer that the graphs bear out most: a fifth of A's vertices, the best first.
///
/// With c(i) the edges at i that are edges at p(i) as well, vertex i counts Σ c(k) over the other ends k of these
/// edges, less the degrees of i and p(i). On an answer that is right in part, the wrong pairs share edges by chance,
/// one here and one there, and the right ones share them with each other. O(arcs).
pub(crate) fn trusted_pairs(a: &Graph, b: &Graph, p: &Permutation) -> Vec<(usize, usize)> {
    let mut is_beside = vec![false; p.len()];
    let mut sum_over_common = |i: usize, of: &dyn Fn(usize) -> usize| -> usize {
        let beside: &[usize] = if p.apply(i) < b.vertex_count() { b.neighbours(p.apply(i)).0 } else { &[] };
        beside.iter().for_each(|&l| is_beside[l] = true);
        let sum = a.neighbours(i).0.iter().filter(|&&k| is_beside[p.apply(k)]).map(|&k| of(k)).sum();
        beside.iter().for_each(|&l| is_beside[l] = false);
        sum
    };
    let counts: Vec<usize> = (0..a.vertex_count()).map(|i| sum_over_common(i, &|_| 1)).collect();
    let mut support = |i: usize| {
        let degrees = a.neighbours(i).0.len() + b.neighbours(p.apply(i)).0.len();
        sum_over_common(i, &|k| counts[k]) as i64 - degrees as i64
    };
    let mut pairs: Vec<_> = (0..a.vertex_count())
        .filter(|&i| p.apply(i) < b.vertex_count())
        .map(|i| (std::cmp::Reverse(support(i)), i))
        .collect();
    pairs.sort_unstable();
    pairs.truncate((TRUSTED * a.vertex_count() as f64) as usize);
    pairs.into_iter().map(|(_, i)| (i, p.apply(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{noisy_erdos_renyi, rng};

    #[test]
    fn the_right_part_of_an_answer_is_trusted() {
        let pair = noisy_erdos_renyi(300, 6.0, 0.1, &mut rng(4, 0)).unwrap();
        // Two thirds of the vertices go astray, in one cycle; of the trusted fifth, less than a quarter.
        let mut answer = pair.truth.clone();
        (0..200).for_each(|i| answer.swap(i, i + 1));
        assert!(answer.agreement(&pair.truth) < 0.4);
        let trusted = trusted_pairs(&pair.a, &pair.b, &answer);
        let right = trusted.iter().filter(|&&(i, j)| pair.truth.apply(i) == j).count();
        assert_eq!(trusted.len(), 60);
        assert!(trusted.iter().all(|&(i, j)| answer.apply(i) == j) && right >= 45, "{right} of 60");
    }

    #[test]
    fn pairs_without_a_partner_are_not_trusted() {
        let (a, b) = (Graph::undirected(6, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap(), Graph::undirected(3, []).unwrap());
        let answer = Permutation::new(vec![3, 4, 2, 0, 1, 5]).unwrap();
        assert_eq!(trusted_pairs(&a, &b, &answer), [(3, 0)]);
    }
}
