//! The indefinite form: common weight, and a term that hardens.

use super::ascent::{Ascent, new_columns};
use super::layers::Layers;
use crate::assignment::NONE;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;

/// h(X) = f(X) − c·Σ w_ij X_ij² with w_ij = (w_i + w_j)/2 the [weights](Layers) of the vertices.
///
/// Half its gradient is H = V(X) − c·w∘X, and without similarities h(X + t(Q − X)) = (1 − t)²h(X) + 2t(1 − t)⟨H, Q⟩ +
/// t²h(Q).
pub(super) struct Indefinite<'a> {
    pub layers: &'a Layers,
    pub c: f64,
}

impl Indefinite<'_> {
    fn weight(&self, i: usize, j: usize) -> f64 {
        self.c * 0.5 * (self.layers.weights.0[i] + self.layers.weights.1[j])
    }

    pub fn ascent(&self, x: &SparseMatrix, stop: &Stop) -> Ascent {
        // Most columns have no entry: their weights are not looked up.
        let harden = |i: usize, j: usize, entry: f64| if entry > 0.0 { self.weight(i, j) * entry } else { 0.0 };
        let change = |i: usize, j: usize, entry: f64, votes: f64| votes - harden(i, j, entry);
        let values = self.layers.votes(x, new_columns(self.layers), stop, change);
        Ascent::of(x, values)
    }

    /// h(Q) − 2⟨H, Q⟩ + ⟨H, X⟩ − ½⟨S, X⟩, half the curvature of h towards the matching Q: h(X) is ⟨H, X⟩ and ½⟨S, X⟩.
    pub fn curvature(&self, x: &SparseMatrix, partners: &[u32], at_x: f64, at_q: f64) -> f64 {
        let matched = partners.iter().enumerate().filter(|&(_, &j)| j != NONE);
        let diagonal: f64 = matched.map(|(i, &j)| self.weight(i, j as usize)).sum();
        self.layers.value(partners) - diagonal - 2.0 * at_q + at_x - 0.5 * self.layers.similarity_of(x)
    }
}

#[cfg(test)]
mod tests {
    use super::super::matching::{assign, matrix};
    use super::*;
    use crate::graph::Graph;
    use crate::instance::rng;
    use nalgebra::DMatrix;
    use rand::RngExt;

    fn dense(sparse: &SparseMatrix) -> DMatrix<f64> {
        let mut matrix = DMatrix::zeros(sparse.shape().0, sparse.shape().1);
        sparse.triples().for_each(|(i, j, x)| matrix[(i, j)] = x);
        matrix
    }

    #[test]
    fn slope_and_curvature_towards_a_matching_are_those_of_the_form() {
        for trial in 0..20 {
            let mut rng = rng(52, trial);
            let mut graph = |n: usize| {
                let arc = |_| (rng.random_range(0..n), rng.random_range(0..n), rng.random_range(0.5..2.0));
                Graph::directed(n, (0..3 * n).map(arc).collect::<Vec<_>>()).unwrap()
            };
            let (a, b) = (graph(7), graph(9));
            let entry = |_| (rng.random_range(0..7), rng.random_range(0..9), rng.random_range(-3.0..3.0));
            let s = SparseMatrix::from_entries((7, 9), (0..20).map(entry)).unwrap();
            let layers = Layers::new(vec![(a.clone(), b.clone())], &[(2, 4)]).unwrap().with_similarity(&s).unwrap();
            let x = SparseMatrix::from_rows(
                (7, 9),
                || (),
                |(), i, row| match i {
                    2 => row.push(4, 1.0),
                    _ => {
                        (0..i % 4).map(|k| (2 * i + 3 * k) % 9).filter(|&j| j != 4).for_each(|j| row.push(j, 0.2));
                    }
                },
            );
            let form = Indefinite { layers: &layers, c: -0.4 };
            let h = |x: &DMatrix<f64>| {
                let quadratic = (a.to_matrix().transpose() * x * b.to_matrix() * x.transpose()).trace();
                let hardening = DMatrix::from_fn(7, 9, |i, j| form.weight(i, j) * x[(i, j)].powi(2)).sum();
                quadratic + dense(&s).dot(x) - hardening
            };
            let ascent = form.ascent(&x, &Stop::never());
            let (partners, at_q) = assign(&layers, &ascent.values, &Stop::never());
            let curvature = form.curvature(&x, &partners, ascent.at_x, at_q);
            let (x, q) = (dense(&x), dense(&matrix((7, 9), &partners)));
            for t in [0.3, 1.0] {
                let gain = h(&(&x + (&q - &x) * t)) - h(&x);
                let expected = 2.0 * t * (at_q - ascent.at_x) + t * t * curvature;
                assert!((gain - expected).abs() < 1e-9, "{gain}, {expected}");
            }
        }
    }
}
