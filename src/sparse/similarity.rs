//! What vertices have in common besides their arcs.

use super::layers::Layers;
use crate::assignment::NONE;
use crate::error::{Error, Result};
use crate::sparse_matrix::SparseMatrix;

/// Similarities of a row that a start has, at most: as many as a vertex has candidates.
const MOST_SIMILAR: usize = 32;

/// The share of a row of the start that goes to its similarities, where there are candidates, too.
const SHARE: f64 = 0.5;

impl Layers {
    /// With S, n_A × n_B: ⟨S, X⟩ is added to f. What was there before is replaced.
    ///
    /// # Errors
    /// [`Error::Shape`] for other sizes than the graphs', [`Error::Entry`] for a similarity that is not finite.
    pub fn with_similarity(mut self, similarity: &SparseMatrix) -> Result<Self> {
        let (expected, found) = (self.shape(), similarity.shape());
        if found != expected {
            let size = |(n_a, n_b): (usize, usize)| format!("{n_a} x {n_b}");
            return Err(Error::shape("similarity", size(expected), size(found)));
        }
        let similarity = SparseMatrix::from_entries(expected, similarity.triples())?;
        let most = |matrix: &SparseMatrix| -> f64 {
            let of_row = |i: usize| matrix.row(i).1.iter().fold(0.0, |most: f64, &s| most.max(s));
            (0..matrix.shape().0).map(of_row).sum()
        };
        self.most_similar = most(&similarity).min(most(&similarity.transpose()));
        if self.most_common == 0.0 {
            // Without arcs in common votes come from similarities alone.
            let largest = similarity.triples().fold(0.0, |largest: f64, (_, _, s)| largest.max(s.abs()));
            self.unit = if largest > 0.0 { largest } else { 1.0 };
        }
        self.similarity = (similarity.entry_count() > 0).then_some(similarity);
        Ok(self)
    }

    /// The row of S of vertex i.
    pub(super) fn similarities(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.similarity.iter().flat_map(move |similarity| similarity.entries(i))
    }

    /// S\[i, j\]; 0 for [`NONE`].
    #[inline]
    pub(super) fn similarity_at(&self, i: usize, j: u32) -> f64 {
        match &self.similarity {
            Some(similarity) if j != NONE => similarity.at(i, j as usize),
            _ => 0.0,
        }
    }

    /// ⟨S, X⟩.
    pub(super) fn similarity_of(&self, x: &SparseMatrix) -> f64 {
        let Some(similarity) = &self.similarity else { return 0.0 };
        x.triples().map(|(i, j, entry)| entry * similarity.at(i, j)).sum()
    }
}

/// Candidates with similarities: these are half of a row that has some above 0, or all of it where it has no
/// candidates. Sums of rows and columns stay at most 1.
pub(super) fn with_similar(layers: &Layers, candidates: SparseMatrix) -> SparseMatrix {
    let Some(similarity) = &layers.similarity else { return candidates };
    let similar = substochastic(similarity);
    let mixed = SparseMatrix::from_rows(candidates.shape(), Vec::new, |all: &mut Vec<(usize, f64)>, i, row| {
        let share = match (similar.row(i).0.is_empty(), candidates.row(i).0.is_empty()) {
            (true, _) => 0.0,
            (false, true) => 1.0,
            (false, false) => SHARE,
        };
        all.clear();
        all.extend(candidates.entries(i).map(|(j, entry)| (j, (1.0 - share) * entry)));
        all.extend(similar.entries(i).map(|(j, entry)| (j, share * entry)));
        all.sort_by_key(|&(j, _)| j);
        for of_column in all.chunk_by(|entry, other| entry.0 == other.0) {
            row.push(of_column[0].0, of_column.iter().map(|&(_, entry)| entry).sum());
        }
    });
    let (_, columns) = sums(&mixed);
    SparseMatrix::from_rows(
        mixed.shape(),
        || (),
        |(), i, row| mixed.entries(i).for_each(|(j, entry)| row.push(j, entry / columns[j].max(1.0))),
    )
}

/// The largest similarities above 0 of each row, each divided by the larger of its row's and its column's sum.
fn substochastic(similarity: &SparseMatrix) -> SparseMatrix {
    let positive = SparseMatrix::from_rows(
        similarity.shape(),
        || (),
        |(), i, row| similarity.entries(i).filter(|&(_, s)| s > 0.0).for_each(|(j, s)| row.push(j, s)),
    );
    let few = positive.largest(|_| MOST_SIMILAR);
    let (rows, columns) = sums(&few);
    SparseMatrix::from_rows(
        few.shape(),
        || (),
        |(), i, row| few.entries(i).for_each(|(j, s)| row.push(j, s / rows[i].max(columns[j]))),
    )
}

/// Of the rows and of the columns.
fn sums(matrix: &SparseMatrix) -> (Vec<f64>, Vec<f64>) {
    let (height, width) = matrix.shape();
    let mut sums = (vec![0.0; height], vec![0.0; width]);
    for (i, j, entry) in matrix.triples() {
        sums.0[i] += entry;
        sums.1[j] += entry;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    fn empty_pair(n: usize) -> Layers {
        let empty = Graph::undirected(n, []).unwrap();
        Layers::new(vec![(empty.clone(), empty)], &[]).unwrap()
    }

    fn matrix(n: usize, entries: &[(usize, usize, f64)]) -> SparseMatrix {
        SparseMatrix::from_entries((n, n), entries.iter().copied()).unwrap()
    }

    #[test]
    fn a_start_is_half_similarities_where_it_has_some() {
        let s = [(0, 0, 3.0), (0, 1, 1.0), (1, 2, 5.0), (2, 2, 5.0), (3, 3, -1.0)];
        let layers = empty_pair(4).with_similarity(&matrix(4, &s)).unwrap();
        let candidates = matrix(4, &[(0, 3, 0.8), (1, 2, 1.0), (3, 3, 0.9)]);
        let start = with_similar(&layers, candidates.clone());
        // Row 2 has no candidates; column 2 would have ½ + ¼ + ½.
        let expected = [(0, 0, 0.375), (0, 1, 0.125), (0, 3, 0.4 / 1.3), (1, 2, 0.6), (2, 2, 0.4), (3, 3, 0.9 / 1.3)];
        let found: Vec<_> = start.triples().collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (&(i, j, entry), (k, l, other)) in found.iter().zip(expected) {
            assert!((i, j) == (k, l) && (entry - other).abs() < 1e-12, "({i}, {j}): {entry}");
        }
        assert_eq!(with_similar(&empty_pair(4), candidates.clone()), candidates);
    }

    #[test]
    fn a_row_has_its_largest_similarities_only() {
        let s: Vec<_> = (0..100).map(|j| (0, j, 1.0 + j as f64)).collect();
        let layers = empty_pair(100).with_similarity(&matrix(100, &s)).unwrap();
        let start = with_similar(&layers, matrix(100, &[]));
        assert_eq!(start.entries(0).map(|(j, _)| j).collect::<Vec<_>>(), (68..100).collect::<Vec<_>>());
    }

    #[test]
    fn f_is_nowhere_above_its_most_and_zeros_are_no_similarity() {
        let s = [(0, 0, 2.0), (0, 1, 3.0), (1, 1, 4.0), (2, 0, -5.0), (2, 2, 1.0)];
        let layers = empty_pair(3).with_similarity(&matrix(3, &s)).unwrap();
        // Rows: 3 + 4 + 1; columns: 2 + 4 + 1, which is reached.
        assert_eq!((layers.most(), layers.value(&[0, 1, 2]), layers.unit), (7.0, 7.0, 5.0));
        assert_eq!((layers.value(&[1, NONE, 0]), layers.share(&[0, 1, 2])), (-2.0, 1.0));
        assert!(empty_pair(3).with_similarity(&matrix(3, &[])).unwrap().similarity.is_none());
        assert!(empty_pair(3).with_similarity(&matrix(4, &[])).is_err());
    }
}
