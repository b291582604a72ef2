//! How well a permutation matches two graphs: the numbers that everyone reports, and that no method optimizes.
//!
//! Vertex i of A is matched to vertex p(i) of B. When the graphs are of unequal size p is a permutation of the
//! larger size, as [`GraphMatching`](crate::objective::GraphMatching) pads; images beyond B are no match.

use crate::graph::Graph;
use crate::permutation::Permutation;

/// The edges of A, and how many of them a permutation keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EdgeScore {
    /// Edges of A whose two ends are matched to the ends of an edge of B.
    pub common: usize,
    /// Edges of A.
    pub edges_a: usize,
    /// Edges of B.
    pub edges_b: usize,
}

impl EdgeScore {
    /// Counts the edges that `p` keeps: unordered pairs if both graphs are undirected, else arcs; weights do not
    /// matter.
    ///
    /// O(arcs of A and B).
    ///
    /// # Panics
    /// When p is shorter than the larger graph.
    ///
    /// ```
    /// use birkhoff::score::EdgeScore;
    /// use birkhoff::{Graph, Permutation};
    /// let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)])?;
    /// let edge = Graph::undirected(2, [(0, 1, 1.0)])?;
    /// let score = EdgeScore::of(&path, &edge, &Permutation::identity(3));
    /// assert_eq!((score.common, score.edges_a, score.correctness()), (1, 2, Some(0.5)));
    /// # Ok::<(), birkhoff::Error>(())
    /// ```
    pub fn of(a: &Graph, b: &Graph, p: &Permutation) -> Self {
        let n = a.vertex_count().max(b.vertex_count());
        assert!(p.len() >= n, "a permutation of {} for graphs of up to {n} vertices", p.len());
        let undirected = a.is_symmetric() && b.is_symmetric();
        let count = |graph: &Graph| if undirected { graph.edge_count() } else { graph.arc_count() };
        let mut is_beside = vec![false; p.len()];
        let mut common = 0;
        for i in (0..a.vertex_count()).filter(|&i| p.apply(i) < b.vertex_count()) {
            let beside = b.neighbours(p.apply(i)).0;
            beside.iter().for_each(|&l| is_beside[l] = true);
            let counted = a.neighbours(i).0.iter().filter(|&&k| !undirected || i <= k);
            common += counted.filter(|&&k| is_beside[p.apply(k)]).count();
            beside.iter().for_each(|&l| is_beside[l] = false);
        }
        EdgeScore { common, edges_a: count(a), edges_b: count(b) }
    }

    /// The share of A's edges that are kept; `None` when A has no edge.
    pub fn correctness(&self) -> Option<f64> {
        (self.edges_a > 0).then(|| self.common as f64 / self.edges_a as f64)
    }
}

/// The number of vertices of A that have a true partner, and how many of them `p` matches to it.
///
/// `truth[i]` is the partner of vertex i of A, `None` where it has none. O(n).
///
/// # Panics
/// When p is shorter than `truth`.
///
/// ```
/// use birkhoff::{Permutation, score::right_vertices};
/// let p = Permutation::new(vec![1, 0, 2])?;
/// assert_eq!(right_vertices(&p, &[Some(1), Some(2), None]), (1, 2));
/// # Ok::<(), birkhoff::Error>(())
/// ```
pub fn right_vertices(p: &Permutation, truth: &[Option<usize>]) -> (usize, usize) {
    assert!(p.len() >= truth.len(), "a permutation of {} for {} vertices", p.len(), truth.len());
    let known = truth.iter().enumerate().filter_map(|(i, partner)| partner.map(|j| (i, j)));
    known.fold((0, 0), |(right, known), (i, j)| (right + usize::from(p.apply(i) == j), known + 1))
}

/// The 95 % Wilson score interval of a proportion (Wilson 1927), k of n independent trials; unlike a bootstrap it says
/// at 0 and n of n how little that proves. `None` without a trial.
///
/// ```
/// use birkhoff::score::wilson_interval;
/// let (low, high) = wilson_interval(5, 10).unwrap();
/// assert!((low - 0.2366).abs() < 1e-4 && (high - 0.7634).abs() < 1e-4);
/// ```
pub fn wilson_interval(k: usize, n: usize) -> Option<(f64, f64)> {
    if n == 0 {
        return None;
    }
    let (z, n) = (1.959_963_984_540_054, n as f64);
    let share = k as f64 / n;
    let middle = share + z * z / (2.0 * n);
    let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some((((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilsons_interval_is_the_one_of_the_tables() {
        // Brown, Cai and DasGupta (2001): 0 of 10 gives (0, 0.278), 5 of 10 (0.237, 0.763).
        let (low, high) = wilson_interval(0, 10).unwrap();
        assert!(low < 1e-12 && (high - 0.2775).abs() < 5e-5, "{low} {high}");
        let (low, high) = wilson_interval(5, 10).unwrap();
        assert!((low - 0.2366).abs() < 5e-5 && (high - 0.7634).abs() < 5e-5, "{low} {high}");
        assert_eq!(wilson_interval(50, 50).unwrap().1, 1.0);
        assert_eq!(wilson_interval(0, 0), None);
    }

    #[test]
    fn edges_to_padding_are_lost_and_arcs_count_by_direction() {
        let a = Graph::directed(3, [(0, 1, 1.0), (1, 2, -2.0), (2, 2, 1.0)]).unwrap();
        let b = Graph::directed(2, [(1, 0, 5.0), (1, 1, 1.0)]).unwrap();
        let p = Permutation::new(vec![2, 1, 0]).unwrap();
        assert_eq!(EdgeScore::of(&a, &b, &p), EdgeScore { common: 1, edges_a: 3, edges_b: 2 });
    }

    #[test]
    fn an_undirected_edge_counts_once_and_none_has_no_share() {
        let a = Graph::undirected(3, [(0, 1, 1.0), (2, 2, 1.0)]).unwrap();
        let score = EdgeScore::of(&a, &a, &Permutation::identity(3));
        assert_eq!((score.common, score.correctness()), (2, Some(1.0)));
        let empty = Graph::directed(3, []).unwrap();
        assert_eq!(EdgeScore::of(&empty, &a, &Permutation::identity(3)).correctness(), None);
    }
}
