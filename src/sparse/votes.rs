//! Votes: the gradient of f at a sparse X, row by row.

use super::layers::{Direction, Layers};
use crate::assignment::NONE;
use crate::sparse_matrix::{Row, SparseMatrix};
use crate::stop::{Rarely, Stop};

/// Room for the sums of one row.
pub(super) struct Urn<'a> {
    stop: Rarely<'a>,
    sums: Vec<f64>,
    /// Whether nearly all columns are voted for, as where vertices have many arcs.
    is_full: bool,
    is_seen: Vec<bool>,
    seen: Vec<u32>,
    /// The largest votes, and those that are largest for their column's weight.
    others: Vec<Vote>,
    fitting: Vec<Vote>,
}

/// A vote for column j, and by what it is among the largest.
#[derive(Clone, Copy)]
struct Vote {
    rank: f64,
    j: u32,
    value: f64,
}

impl<'a> Urn<'a> {
    pub fn new(layers: &Layers, stop: &'a Stop) -> Self {
        let (_, n_b) = layers.shape();
        let (sums, is_seen, seen) = (vec![0.0; n_b], vec![false; n_b], vec![]);
        let is_full = layers.has_many_arcs();
        Urn { stop: stop.asked_rarely(), sums, is_full, is_seen, seen, others: vec![], fitting: vec![] }
    }

    /// To be asked before each row.
    pub fn stops(&mut self) -> bool {
        self.stop.is_reached()
    }

    #[inline]
    pub fn add(&mut self, j: usize, value: f64) {
        self.sums[j] += value;
        if !self.is_seen[j] {
            self.is_seen[j] = true;
            self.seen.push(j as u32);
        }
    }

    /// Where the urn is full, which columns have votes is [found out](Self::note_all) once for a row, and not at each
    /// vote: two and a half times as fast on graphs of 222 arcs a vertex.
    #[inline]
    fn add_all(&mut self, votes: impl Iterator<Item = (usize, f64)>) {
        if self.is_full {
            let sums = &mut self.sums[..];
            votes.for_each(|(j, value)| sums[j] += value);
        } else {
            votes.for_each(|(j, value)| self.add(j, value));
        }
    }

    fn note_all(&mut self) {
        if self.is_full {
            self.seen.clear();
            self.seen.extend((0..self.sums.len() as u32).filter(|&j| self.sums[j as usize] != 0.0));
            self.seen.iter().for_each(|&j| self.is_seen[j as usize] = true);
        }
    }
}

/// Row i from the urn's sums, which are gone then: where X has entries, and the `most` largest others that are positive
/// once changed by `change`, a function of (row, column, entry of X, sum). An anchored row has its anchor alone, and no
/// other row that column.
///
/// Where vertices have many arcs, as many again that are largest over the square root of the column's weight: there
/// every row has votes for the same hubs, and nobody would vote for most columns.
pub(super) fn fill_row(
    layers: &Layers,
    x: &SparseMatrix,
    (i, most): (usize, usize),
    urn: &mut Urn,
    row: &mut Row,
    change: impl Fn(usize, usize, f64, f64) -> f64,
) {
    for (j, entry) in x.entries(i) {
        row.push(j, change(i, j, entry, urn.sums[j]));
        // Only the others compete; what was never added to is 0 already.
        urn.is_seen[j] = false;
    }
    let is_open = layers.anchors[i] == NONE;
    urn.others.clear();
    urn.fitting.clear();
    for &j in &urn.seen {
        let sum = std::mem::take(&mut urn.sums[j as usize]);
        if std::mem::take(&mut urn.is_seen[j as usize]) && is_open && layers.is_free[j as usize] {
            let value = change(i, j as usize, 0.0, sum);
            if value > 0.0 {
                insert(&mut urn.others, most, Vote { rank: value, j, value });
                if let Some(fit) = layers.fits.get(j as usize) {
                    insert(&mut urn.fitting, most, Vote { rank: value * fit, j, value });
                }
            }
        }
    }
    urn.seen.clear();
    urn.others.append(&mut urn.fitting);
    urn.others.sort_unstable_by_key(|vote| vote.j);
    urn.others.dedup_by_key(|vote| vote.j);
    urn.others.iter().for_each(|vote| row.push(vote.j as usize, vote.value));
}

/// Enters a vote among the `most` largest, which are in order, unless it is none of them.
#[inline]
fn insert(largest: &mut Vec<Vote>, most: usize, vote: Vote) {
    let comes_before = |other: &Vote| other.rank > vote.rank || (other.rank == vote.rank && other.j < vote.j);
    if largest.len() == most {
        if largest.last().is_none_or(comes_before) {
            return;
        }
        largest.pop();
    }
    let place = largest.iter().rposition(comes_before).map_or(0, |place| place + 1);
    largest.insert(place, vote);
}

impl Layers {
    /// V(X) = ½∇f(X), for products Σ_ℓ ½(A_ℓXB_ℓᵀ + A_ℓᵀXB_ℓ) + ½S, rows as [`fill_row`] makes them: sums over the
    /// neighbours of what their partners are beside. O(entries of S + Σ_i Σ over neighbours i' of i of Σ over j' in row
    /// i' of X of the degree of j'). Once `stop` is reached further rows are empty.
    pub(super) fn votes(
        &self,
        x: &SparseMatrix,
        most: usize,
        stop: &Stop,
        change: impl Fn(usize, usize, f64, f64) -> f64 + Sync + Send,
    ) -> SparseMatrix {
        let of_row = |urn: &mut Urn, i: usize, row: &mut Row| {
            if urn.stops() {
                return;
            }
            for Direction { a, b, share, .. } in &self.directions {
                let (neighbours, weights) = a.neighbours(i);
                for (&k, weight) in neighbours.iter().zip(weights) {
                    for (l, entry) in x.entries(k) {
                        let (beside, weights) = b.neighbours(l);
                        let vote = share * entry;
                        let images = beside.iter().zip(weights);
                        urn.add_all(images.map(|(&j, other)| (j, vote * self.affinity.of(*weight, *other))));
                    }
                }
            }
            urn.add_all(self.similarities(i).map(|(j, s)| (j, 0.5 * s)));
            urn.note_all();
            fill_row(self, x, (i, most), urn, row, &change);
        };
        SparseMatrix::from_rows(self.shape(), || Urn::new(self, stop), of_row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::instance::rng;
    use crate::sparse_form::Affinity;
    use nalgebra::DMatrix;
    use rand::RngExt;

    fn dense(sparse: &SparseMatrix) -> DMatrix<f64> {
        let mut matrix = DMatrix::zeros(sparse.shape().0, sparse.shape().1);
        (0..sparse.shape().0).for_each(|i| sparse.entries(i).for_each(|(j, x)| matrix[(i, j)] = x));
        matrix
    }

    #[test]
    fn votes_of_an_overlap_are_sums_of_the_lesser_weights() {
        let mut rng = rng(32, 0);
        let mut graph = || {
            let arc = |_| (rng.random_range(0..9), rng.random_range(0..9), rng.random_range(0.5..2.0));
            Graph::directed(9, (0..30).map(arc).collect::<Vec<_>>()).unwrap()
        };
        let (a, b) = (graph(), graph());
        let p = [4, 0, 2, 8, 1, 3, 5, 7, 6];
        let x = SparseMatrix::from_rows((9, 9), || (), |(), i, row| row.push(p[i], 1.0));
        let similarity = SparseMatrix::from_entries((9, 9), [(0, 4, 1.5), (3, 1, -2.0), (8, 8, 0.25)]).unwrap();
        let layers = Layers::with_affinity(Affinity::Minimum, vec![(a.clone(), b.clone())], &[]).unwrap();
        let layers = layers.with_similarity(&similarity).unwrap();
        let votes = dense(&layers.votes(&x, 9, &Stop::never(), |_, _, _, votes| votes));
        let expected = DMatrix::from_fn(9, 9, |i, j| {
            let of = |k: usize| a.weight(i, k).min(b.weight(j, p[k])) + a.weight(k, i).min(b.weight(p[k], j));
            0.5 * ((0..9).map(of).sum::<f64>() + similarity.at(i, j))
        });
        let expected = expected.map(|vote| vote.max(0.0));
        assert!((votes - expected).amax() < 1e-12);
    }

    #[test]
    fn votes_are_half_the_gradient_and_the_largest_are_kept() {
        let mut rng = rng(31, 0);
        let mut graph = |n: usize, directed: bool| {
            let arcs: Vec<_> = (0..3 * n)
                .map(|_| (rng.random_range(0..n), rng.random_range(0..n), rng.random_range(0.5..2.0)))
                .collect();
            if directed { Graph::directed(n, arcs).unwrap() } else { Graph::undirected(n, arcs).unwrap() }
        };
        let layers = vec![(graph(12, false), graph(15, false)), (graph(12, true), graph(15, true))];
        let x = SparseMatrix::from_rows(
            (12, 15),
            || (),
            |(), i, row| {
                (0..i % 4).for_each(|k| row.push((5 * i + 3 * k) % 15, 0.1 + 0.05 * k as f64));
            },
        );
        let at = dense(&x);
        let entry = |_| (rng.random_range(0..12), rng.random_range(0..15), rng.random_range(0.0..2.0));
        let similarity = SparseMatrix::from_entries((12, 15), (0..40).map(entry)).unwrap();
        let expected = layers.iter().fold(dense(&similarity) * 0.5, |sum, (a, b)| {
            let (a, b) = (a.to_matrix(), b.to_matrix());
            sum + (&a * &at * b.transpose() + a.transpose() * &at * b) * 0.5
        });
        let layers = Layers::new(layers, &[(0, 14), (3, 2)]).unwrap().with_similarity(&similarity).unwrap();
        let free = |i: usize, j: usize| at[(i, j)] > 0.0 || (![0, 3].contains(&i) && ![14, 2].contains(&j));
        let all = dense(&layers.votes(&x, 15, &Stop::never(), |_, _, _, votes| votes));
        let allowed = DMatrix::from_fn(12, 15, |i, j| if free(i, j) { expected[(i, j)] } else { 0.0 });
        assert!((all - &allowed).amax() < 1e-12);
        let few = layers.votes(&x, 2, &Stop::never(), |_, _, entry, votes| votes + 100.0 * entry);
        for i in 0..12 {
            let (columns, values) = few.row(i);
            let support = (0..15).filter(|&j| at[(i, j)] > 0.0).count();
            assert!(columns.len() <= support + 2);
            let mut others: Vec<f64> = (0..15).filter(|&j| at[(i, j)] == 0.0).map(|j| allowed[(i, j)]).collect();
            others.sort_by(|k, l| l.total_cmp(k));
            for (&j, &value) in columns.iter().zip(values) {
                let entry = at[(i, j as usize)];
                assert!((value - expected[(i, j as usize)] - 100.0 * entry).abs() < 1e-12);
                assert!(entry > 0.0 || value >= others[1] - 1e-12);
            }
        }
    }
}
