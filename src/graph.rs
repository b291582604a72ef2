//! Graphs: weighted adjacency matrices in compressed sparse rows.

use crate::error::{Error, Result};
use nalgebra::DMatrix;
use std::sync::Arc;

/// A weighted graph on the vertices 0..n, directed or not, loops allowed: the adjacency matrix W in
/// compressed sparse rows, W\[i, j\] ≠ 0 the weight of the arc i → j.
///
/// An undirected graph holds each edge as two arcs; [`Graph::is_symmetric`] says whether W = Wᵀ.
/// Memory O(n + arcs), and O(1) for a clone; the dense matrix is formed only on demand.
///
/// ```
/// use birkhoff::Graph;
/// let path = Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)])?;
/// assert_eq!(path.arc_count(), 4);
/// assert_eq!(path.weight(2, 1), 1.0);
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    // Shared by the clones, the padded and, if symmetric, the transposed graph.
    offsets: Arc<Vec<usize>>,
    targets: Arc<Vec<usize>>,
    weights: Arc<Vec<f64>>,
    symmetric: bool,
}

impl Graph {
    /// The most vertices that a graph can have: 2³² − 2.
    pub const MOST_VERTICES: usize = u32::MAX as usize - 1;

    /// The directed graph with arcs (source, target, weight). Parallel arcs add up, weights 0 vanish.
    ///
    /// # Errors
    /// [`Error::Argument`] when n is above [`MOST_VERTICES`](Self::MOST_VERTICES) or beyond the memory, or a vertex is
    /// ≥ n; [`Error::Entry`] when a weight, or the sum of parallel ones, is not finite. O(n + m log m).
    pub fn directed(n: usize, arcs: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self> {
        let mut offsets = room_for_offsets(n)?;
        let mut arcs: Vec<(usize, usize, f64)> = arcs.into_iter().collect();
        for &(i, j, weight) in &arcs {
            if i >= n || j >= n {
                return Err(Error::argument("graph", format!("arc ({i}, {j}) in a graph of {n} vertices")));
            }
            require_finite(i, j, weight)?;
        }
        arcs.sort_by_key(|&(i, j, _)| (i, j));
        arcs.dedup_by(|next, kept| {
            let parallel = (next.0, next.1) == (kept.0, kept.1);
            if parallel {
                kept.2 += next.2;
            }
            parallel
        });
        arcs.retain(|&(_, _, weight)| weight != 0.0);
        offsets.resize(n + 1, 0);
        for &(i, j, weight) in &arcs {
            require_finite(i, j, weight)?;
            offsets[i + 1] += 1;
        }
        for i in 0..n {
            offsets[i + 1] += offsets[i];
        }
        let targets = arcs.iter().map(|arc| arc.1).collect();
        let weights = arcs.iter().map(|arc| arc.2).collect();
        let mut graph = Graph::of(offsets, targets, weights);
        graph.symmetric = graph.equals_its_transpose();
        Ok(graph)
    }

    /// Whether W = Wᵀ. O(n + arcs): rows are visited in order, so the arcs back to them come in order in every row.
    fn equals_its_transpose(&self) -> bool {
        let mut next = self.offsets.to_vec();
        self.arcs().all(|(i, j, weight)| {
            let back = next[j];
            next[j] += 1;
            back < self.offsets[j + 1] && self.targets[back] == i && self.weights[back] == weight
        })
    }

    fn of(offsets: Vec<usize>, targets: Vec<usize>, weights: Vec<f64>) -> Self {
        let (offsets, targets, weights) = (Arc::new(offsets), Arc::new(targets), Arc::new(weights));
        Graph { offsets, targets, weights, symmetric: false }
    }

    /// Wᵀ as it stands in memory if it is not symmetric: the arcs, by source, sorted by target. O(n + m).
    fn turned(&self) -> Self {
        let mut offsets = vec![0; self.offsets.len()];
        self.targets.iter().for_each(|&j| offsets[j + 1] += 1);
        for j in 1..offsets.len() {
            offsets[j] += offsets[j - 1];
        }
        let mut next = offsets.clone();
        let (mut targets, mut weights) = (vec![0; self.targets.len()], vec![0.0; self.weights.len()]);
        for (i, j, weight) in self.arcs() {
            (targets[next[j]], weights[next[j]]) = (i, weight);
            next[j] += 1;
        }
        Graph::of(offsets, targets, weights)
    }

    /// The undirected graph with edges {i, j} of the given weights: each becomes two arcs, a loop one.
    ///
    /// # Errors
    /// As [`Graph::directed`].
    pub fn undirected(n: usize, edges: impl IntoIterator<Item = (usize, usize, f64)>) -> Result<Self> {
        let both = |(i, j, weight)| [(i, j, weight), (j, i, weight)].into_iter().take(if i == j { 1 } else { 2 });
        Graph::directed(n, edges.into_iter().flat_map(both))
    }

    /// The graph whose adjacency matrix is `matrix`.
    ///
    /// # Errors
    /// [`Error::Shape`] when it is not square, [`Error::Entry`] when an entry is not finite. O(n²).
    pub fn from_matrix(matrix: &DMatrix<f64>) -> Result<Self> {
        let (rows, columns) = matrix.shape();
        if rows != columns {
            return Err(Error::shape("adjacency matrix", "a square matrix", format!("{rows} x {columns}")));
        }
        let entries = (0..rows).flat_map(|i| (0..rows).map(move |j| (i, j)));
        Graph::directed(rows, entries.map(|(i, j)| (i, j, matrix[(i, j)])).filter(|arc| arc.2 != 0.0))
    }

    /// The dense n × n adjacency matrix: 8n² bytes.
    pub fn to_matrix(&self) -> DMatrix<f64> {
        let n = self.vertex_count();
        let mut matrix = DMatrix::zeros(n, n);
        for (i, j, weight) in self.arcs() {
            matrix[(i, j)] = weight;
        }
        matrix
    }

    /// n.
    pub fn vertex_count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of non-zero entries of W.
    pub fn arc_count(&self) -> usize {
        self.targets.len()
    }

    /// The number of edges: of unordered pairs (loops included) if W = Wᵀ, of arcs otherwise.
    pub fn edge_count(&self) -> usize {
        if self.symmetric { self.arcs().filter(|&(i, j, _)| i <= j).count() } else { self.arc_count() }
    }

    /// Whether W = Wᵀ exactly.
    pub fn is_symmetric(&self) -> bool {
        self.symmetric
    }

    /// The targets of the arcs from i, ascending, and their weights. O(1).
    ///
    /// # Panics
    /// When `i ≥ n`.
    #[inline]
    pub fn neighbours(&self, i: usize) -> (&[usize], &[f64]) {
        let range = self.offsets[i]..self.offsets[i + 1];
        (&self.targets[range.clone()], &self.weights[range])
    }

    /// W\[i, j\]. O(log degree).
    ///
    /// # Panics
    /// When `i ≥ n`.
    pub fn weight(&self, i: usize, j: usize) -> f64 {
        let (targets, weights) = self.neighbours(i);
        targets.binary_search(&j).map_or(0.0, |k| weights[k])
    }

    /// All arcs (source, target, weight), by source and then target.
    pub fn arcs(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        (0..self.vertex_count()).flat_map(move |i| {
            let (targets, weights) = self.neighbours(i);
            targets.iter().zip(weights).map(move |(&j, &weight)| (i, j, weight))
        })
    }

    /// The graph with every arc turned round: Wᵀ. O(n + m).
    pub fn transpose(&self) -> Self {
        if self.symmetric { self.clone() } else { self.turned() }
    }

    /// The same graph with isolated vertices added, so that there are `n` of them (if there were fewer).
    ///
    /// # Panics
    /// When n is above [`MOST_VERTICES`](Self::MOST_VERTICES).
    pub fn padded(&self, n: usize) -> Self {
        assert!(n <= Self::MOST_VERTICES, "a graph of {n} vertices");
        let mut padded = self.clone();
        if n > self.vertex_count() {
            Arc::make_mut(&mut padded.offsets).resize(n + 1, self.arc_count());
        }
        padded
    }

    /// The same graph without the arcs i → k for which `is_kept` says no.
    pub(crate) fn filtered(&self, is_kept: impl Fn(usize, usize) -> bool) -> Self {
        let kept = self.arcs().filter(|&(i, k, _)| is_kept(i, k));
        Graph::directed(self.vertex_count(), kept).expect("arcs of a graph")
    }

    /// The same graph without its vertices n, n + 1, …, which have no arcs.
    pub(crate) fn unpadded(&self, n: usize) -> Self {
        let mut unpadded = self.clone();
        Arc::make_mut(&mut unpadded.offsets).truncate(n + 1);
        unpadded
    }

    /// ‖W‖²_F; ∞ where it is beyond 1.8e308.
    pub fn squared_norm(&self) -> f64 {
        self.weights.iter().map(|weight| weight * weight).sum()
    }
}

/// Room for n + 1 numbers.
fn room_for_offsets(n: usize) -> Result<Vec<usize>> {
    let mut offsets = Vec::new();
    if n > Graph::MOST_VERTICES || offsets.try_reserve_exact(n + 1).is_err() {
        let cause =
            format!("{n} vertices, but a graph has {} at most, and as many as fit into memory", Graph::MOST_VERTICES);
        return Err(Error::argument("graph", cause));
    }
    Ok(offsets)
}

fn require_finite(row: usize, column: usize, value: f64) -> Result<()> {
    if value.is_finite() {
        return Ok(());
    }
    Err(Error::Entry { what: "graph".to_string(), row, column, value, required: "finite" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parallel_arcs_add_up_and_zeros_vanish() {
        let graph = Graph::directed(2, [(0, 1, 1.0), (0, 1, 2.0), (1, 0, 1.0), (1, 0, -1.0)]).unwrap();
        assert_eq!(graph.weight(0, 1), 3.0);
        assert_eq!(graph.arc_count(), 1);
        assert!(!graph.is_symmetric());
    }

    #[test]
    fn a_loop_is_one_arc() {
        let graph = Graph::undirected(2, [(0, 0, 2.0), (0, 1, 1.0)]).unwrap();
        assert_eq!(graph.weight(0, 0), 2.0);
        assert_eq!((graph.arc_count(), graph.edge_count()), (3, 2));
        assert!(graph.is_symmetric());
    }

    #[test]
    fn symmetric_is_what_equals_its_transpose() {
        let edges = [(0, 1, 1.0), (1, 0, 1.0), (1, 1, 2.0), (2, 1, 3.0), (1, 2, 3.0), (3, 0, 4.0), (0, 3, 4.0)];
        assert!(Graph::directed(4, edges).unwrap().is_symmetric());
        for k in 0..edges.len() {
            let without = edges.iter().enumerate().filter(|&(l, _)| l != k).map(|(_, &edge)| edge);
            let is_loop = edges[k].0 == edges[k].1;
            assert_eq!(Graph::directed(4, without).unwrap().is_symmetric(), is_loop, "without edge {k}");
            let mut changed = edges;
            changed[k].2 += 1.0;
            assert_eq!(Graph::directed(4, changed).unwrap().is_symmetric(), is_loop, "edge {k} is heavier");
        }
    }

    #[test]
    fn matrix_and_graph_are_the_same_thing() {
        let matrix = DMatrix::from_row_slice(3, 3, &[0.0, 1.5, 0.0, -2.0, 0.0, 0.0, 0.0, 4.0, 1.0]);
        let graph = Graph::from_matrix(&matrix).unwrap();
        assert_eq!(graph.to_matrix(), matrix);
        assert_eq!(graph.transpose().to_matrix(), matrix.transpose());
        assert_eq!(graph.padded(5).to_matrix().view((0, 0), (3, 3)), matrix);
        assert_eq!(graph.squared_norm(), matrix.norm_squared());
    }

    #[test]
    fn vertices_out_of_range_and_broken_weights_are_refused() {
        assert!(Graph::directed(2, [(0, 2, 1.0)]).unwrap_err().to_string().contains("(0, 2)"));
        assert!(Graph::directed(2, [(0, 1, f64::NAN)]).is_err());
        assert!(Graph::from_matrix(&DMatrix::zeros(2, 3)).is_err());
        let sum = Graph::undirected(2, [(0, 1, 1e308), (0, 1, 1e308)]).unwrap_err().to_string();
        assert!(sum.contains("entry (0, 1) is inf"), "{sum}");
        for n in [usize::MAX, usize::MAX - 1, Graph::MOST_VERTICES + 1] {
            assert!(Graph::directed(n, []).unwrap_err().to_string().contains("vertices"));
        }
    }
}
