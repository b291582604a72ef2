//! Matrices that are symmetric but for rounding, and those that are not and have to be.

use super::named_graph::NamedGraph;
use super::reading::Reading;
use super::text::{number, shown};
use crate::error::{Error, Result};
use crate::graph::Graph;
use std::path::Path;

/// Weights agree that differ by no more than this share of the larger one.
const RELATIVE: f64 = 1e-9;

/// What rounding leaves of a zero, as a share of the largest weight in the matrix.
const OF_LARGEST: f64 = 1e-12;

/// Whether two weights are the same number but for rounding: |a − b| ≤ 10⁻⁹ max(|a|, |b|).
pub(super) fn agree(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= RELATIVE * a.abs().max(b.abs())
}

/// (a + b)/2, without overflow, and exactly a where a = b.
pub(super) fn mean(a: f64, b: f64) -> f64 {
    if a == b { a } else { 0.5 * a + 0.5 * b }
}

/// `named`, made undirected unless `reading` wants arcs; with a note where weights were changed for that.
///
/// W is symmetric if |w_ij − w_ji| ≤ 10⁻⁹ max(|w_ij|, |w_ji|), or ≤ 10⁻¹² max |W| (what rounding leaves of a zero), for
/// all i and j. Then, and always with [`Reading::symmetrize`], it becomes (W + Wᵀ)/2. O(m log(largest degree)).
///
/// # Errors
/// [`Error::File`] when there is no vertex, or when W is not symmetric and has to be.
pub(super) fn accept(source: &Path, named: NamedGraph, reading: &Reading) -> Result<(NamedGraph, Option<String>)> {
    if named.names.is_empty() {
        return Err(Error::file(source, "the graph has no vertex"));
    }
    if reading.directed || named.graph.is_symmetric() {
        return Ok((named, None));
    }
    let graph = &named.graph;
    let largest = graph.arcs().fold(0.0, |largest: f64, (_, _, weight)| largest.max(weight.abs()));
    let off = |&(i, j, weight): &(usize, usize, f64)| {
        let back = graph.weight(j, i);
        !agree(weight, back) && (weight - back).abs() > OF_LARGEST * largest
    };
    let difference = |&(i, j, weight): &(usize, usize, f64)| (weight - graph.weight(j, i)).abs();
    let worst = graph.arcs().reduce(|worst, arc| if difference(&arc) > difference(&worst) { arc } else { worst });
    let worst = worst.map_or(0.0, |arc| difference(&arc));
    let first = graph.arcs().find(off);
    if let Some((i, j, weight)) = first.filter(|_| !reading.symmetrize) {
        let (u, v) = (shown(&named.names[i]), shown(&named.names[j]));
        let (there, back) = (number(weight), number(graph.weight(j, i)));
        let cause =
            format!("not an undirected graph: the weight from {u} to {v} is {there}, but {back} from {v} to {u}");
        let by = format!(" (at most {worst:.1e} apart, {:.1e} of the largest weight)", worst / largest);
        let hint = "; --directed reads it as a directed graph, --symmetrize takes the mean of both";
        return Err(Error::file(source, cause + &by + hint));
    }
    let note = match first {
        Some(_) => format!("not symmetric, by up to {worst:.1e}: the mean of both directions is taken"),
        None => format!("symmetric but for rounding, up to {worst:.1e}: the mean of both directions is taken"),
    };
    Ok((NamedGraph { graph: symmetrized(graph)?, names: named.names }, Some(note)))
}

/// (W + Wᵀ)/2.
fn symmetrized(graph: &Graph) -> Result<Graph> {
    let upper = graph.arcs().filter(|&(i, j, _)| i <= j || graph.weight(j, i) == 0.0);
    let edges = upper.map(|(i, j, weight)| (i.min(j), i.max(j), mean(weight, graph.weight(j, i))));
    Graph::undirected(graph.vertex_count(), edges)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, dmatrix};

    fn accepted(matrix: &DMatrix<f64>, symmetrize: bool) -> Result<(DMatrix<f64>, Option<String>)> {
        let named = NamedGraph::numbered(Graph::from_matrix(matrix).unwrap());
        let reading = Reading { symmetrize, ..Reading::default() };
        accept(Path::new("f"), named, &reading).map(|(named, note)| (named.graph.to_matrix(), note))
    }

    #[test]
    fn rounding_is_no_asymmetry_and_the_mean_is_taken() {
        let x: f64 = 0.1;
        let (matrix, note) = accepted(&dmatrix![1.0, x; x + 2e-17, 1.0], false).unwrap();
        assert_eq!(matrix, matrix.transpose());
        assert!(note.unwrap().starts_with("symmetric but for rounding, up to 1.4e-17"));
        // What should be 0 may be anything small.
        assert!(accepted(&dmatrix![1.0, 3e-17; -2e-17, 1.0], false).is_ok());
        assert!(accepted(&dmatrix![0.0, 5e-17; 0.0, 1.0], false).is_ok());
        // But small weights are weights.
        assert!(accepted(&dmatrix![1.0, 3e-11; 2e-11, 1.0], false).is_err());
        assert_eq!(accepted(&dmatrix![1.0, 2.0; 2.0, 1.0], false).unwrap().1, None);
        for (off, fine) in [(1e-10, true), (1.1e-9, false)] {
            assert_eq!(accepted(&dmatrix![1.0, 1.0; 1.0 - off, 1.0], false).is_ok(), fine, "{off}");
        }
    }

    #[test]
    fn what_is_not_symmetric_says_by_how_much_and_what_to_do() {
        let matrix = dmatrix![0.0, 2.0, 0.0; 1.0, 0.0, 4.0; 1.0, 4.0, 0.0];
        let message = accepted(&matrix, false).unwrap_err().to_string();
        assert_eq!(
            message,
            "f: not an undirected graph: the weight from '0' to '1' is 2, but 1 from '1' to '0' (at most 1.0e0 apart, \
             2.5e-1 of the largest weight); --directed reads it as a directed graph, --symmetrize takes the mean of both"
        );
        let (mean, note) = accepted(&matrix, true).unwrap();
        assert_eq!(mean, dmatrix![0.0, 1.5, 0.5; 1.5, 0.0, 4.0; 0.5, 4.0, 0.0]);
        assert_eq!(note.unwrap(), "not symmetric, by up to 1.0e0: the mean of both directions is taken");
        assert_eq!(accepted(&dmatrix![0.0, f64::MAX; -f64::MAX, 0.0], true).unwrap().0, DMatrix::zeros(2, 2));
    }
}
