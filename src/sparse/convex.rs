//! The convex form with the exact penalty, on substochastic X.

use super::ascent::{Ascent, new_columns};
use super::layers::Layers;
use super::votes::{Urn, fill_row};
use crate::assignment::NONE;
use crate::graph::Graph;
use crate::penalty::Penalty;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use rayon::prelude::*;

/// h(X) = Σ_ℓ ‖A_ℓX − XB_ℓ‖² − 2⟨S, X⟩ + Σ_i a_i s_i² + Σ_j b_j t_j² + λP(X), S the similarity, s = 1 − X1 and t = 1 −
/// Xᵀ1 the slack.
///
/// P is Σ_i w_i(1 − ‖(X_i:, s_i)‖₂) + Σ_j w_j(1 − ‖(X_:j, t_j)‖₂), the l1−l2 penalty with slack (T6) and the weights of
/// vertices; or Σ w_ij(X_ij − X_ij²), slack included, w_ij = (w_i + w_j)/2, that of Frobenius.
///
/// The slack's terms are what ‖AX − XB‖² is where each vertex has an isolated one on the other side that its slack goes
/// to: a_i the squared weights of the arcs into i, b_j of those from j. They make f convex and honest for vertices
/// without a partner.
pub(super) struct Convex<'a> {
    pub layers: &'a Layers,
    /// [`Penalty::L1MinusL2`] or [`Penalty::Frobenius`].
    pub penalty: Penalty,
    pub lambda: f64,
}

/// Rows that a task takes at least: each needs room as wide as X.
const ROWS: usize = 1024;

/// What is known of X besides its entries.
struct Point {
    /// R_ℓ = A_ℓX − XB_ℓ.
    residuals: Vec<SparseMatrix>,
    slack: (Vec<f64>, Vec<f64>),
    /// λ/2·w over the norms of rows and columns, slack included (over 1 for Frobenius).
    pull: (Vec<f64>, Vec<f64>),
}

impl Convex<'_> {
    fn point(&self, x: &SparseMatrix, stop: &Stop) -> Point {
        let layers = self.layers;
        let residual = |(a, b): (&Graph, &Graph)| residual(x, a, b, stop);
        let residuals = layers.a.iter().zip(&layers.b).map(residual).collect();
        let (n_a, n_b) = layers.shape();
        let (mut sums, mut squares) = ((vec![0.0; n_a], vec![0.0; n_b]), (vec![0.0; n_a], vec![0.0; n_b]));
        for i in 0..n_a {
            for (j, entry) in x.entries(i) {
                sums.0[i] += entry;
                sums.1[j] += entry;
                squares.0[i] += entry * entry;
                squares.1[j] += entry * entry;
            }
        }
        let slack = |sums: &[f64]| sums.iter().map(|sum| (1.0 - sum).max(0.0)).collect::<Vec<f64>>();
        let slack = (slack(&sums.0), slack(&sums.1));
        let pull = |weights: &[f64], squares: &[f64], slack: &[f64]| {
            let lines = weights.iter().zip(squares).zip(slack);
            let of = |((weight, squares), slack): ((&f64, &f64), &f64)| {
                let norm = match self.penalty {
                    Penalty::L1MinusL2 => (squares + slack * slack).sqrt(),
                    _ => 1.0,
                };
                0.5 * self.lambda * weight / norm
            };
            lines.map(of).collect::<Vec<f64>>()
        };
        let pull = (pull(&layers.weights.0, &squares.0, &slack.0), pull(&layers.weights.1, &squares.1, &slack.1));
        Point { residuals, slack, pull }
    }

    /// −½∇h on the support of X and the largest entries beside it, and what the curvature needs.
    pub fn ascent(&self, x: &SparseMatrix, stop: &Stop) -> (Ascent, Vec<SparseMatrix>) {
        let point = self.point(x, stop);
        let (layers, Point { residuals, slack, pull }) = (self.layers, &point);
        let (of_a, of_b) = &layers.slack_weights;
        let change = |i: usize, j: usize, entry: f64, falls: f64| {
            let of_slack = of_a[i] * slack.0[i] + of_b[j] * slack.1[j];
            falls + of_slack + pull.0[i] * (entry - slack.0[i]) + pull.1[j] * (entry - slack.1[j])
        };
        let values = SparseMatrix::from_rows(
            layers.shape(),
            || Urn::new(layers, stop),
            |urn, i, row| {
                if urn.stops() {
                    return;
                }
                // −(AᵀR − RBᵀ).
                for (number, residual) in residuals.iter().enumerate() {
                    let (a, b) = &layers.turned[number];
                    let (neighbours, weights) = a.neighbours(i);
                    for (&k, weight) in neighbours.iter().zip(weights) {
                        residual.entries(k).for_each(|(j, entry)| urn.add(j, -weight * entry));
                    }
                    for (l, entry) in residual.entries(i) {
                        let (beside, weights) = b.neighbours(l);
                        beside.iter().zip(weights).for_each(|(&j, weight)| urn.add(j, entry * weight));
                    }
                }
                layers.similarities(i).for_each(|(j, s)| urn.add(j, s));
                fill_row(layers, x, (i, new_columns(layers)), urn, row, change);
            },
        );
        (Ascent::of(x, values), point.residuals)
    }

    /// −½ times the second derivative of f towards the matching Q: the penalty is concave, and counts as linear.
    pub fn curvature(&self, x: &SparseMatrix, residuals: &[SparseMatrix], partners: &[u32]) -> f64 {
        let layers = self.layers;
        let (n_a, n_b) = layers.shape();
        let mut sum = 0.0;
        for (number, residual) in residuals.iter().enumerate() {
            let (a, b) = (&layers.a[number], &layers.b[number]);
            let of_row = |(row, touched): &mut (Vec<f64>, Vec<usize>), i: usize| {
                let mut add = |j: usize, value: f64| {
                    row[j] += value;
                    touched.push(j);
                };
                residual.entries(i).for_each(|(j, entry)| add(j, -entry));
                let (neighbours, weights) = a.neighbours(i);
                for (&k, weight) in neighbours.iter().zip(weights).filter(|&(&k, _)| partners[k] != NONE) {
                    add(partners[k] as usize, *weight);
                }
                if partners[i] != NONE {
                    let (beside, weights) = b.neighbours(partners[i] as usize);
                    beside.iter().zip(weights).for_each(|(&j, weight)| add(j, -weight));
                }
                let mut squares = 0.0;
                for j in touched.drain(..) {
                    squares += row[j] * row[j];
                    row[j] = 0.0;
                }
                squares
            };
            let rows: Vec<f64> =
                (0..n_a).into_par_iter().with_min_len(ROWS).map_init(|| (vec![0.0; n_b], vec![]), of_row).collect();
            sum += rows.iter().sum::<f64>();
        }
        let mut change = (vec![0.0; n_a], vec![0.0; n_b]);
        for (i, &partner) in partners.iter().enumerate() {
            for (j, entry) in x.entries(i) {
                change.0[i] -= entry;
                change.1[j] -= entry;
            }
            if partner != NONE {
                change.0[i] += 1.0;
                change.1[partner as usize] += 1.0;
            }
        }
        let squares = |weights: &[f64], change: &[f64]| {
            weights.iter().zip(change).map(|(weight, change)| weight * change * change).sum::<f64>()
        };
        -(sum + squares(&layers.slack_weights.0, &change.0) + squares(&layers.slack_weights.1, &change.1))
    }
}

/// AX − XB.
fn residual(x: &SparseMatrix, a: &Graph, b: &Graph, stop: &Stop) -> SparseMatrix {
    let (_, width) = x.shape();
    let scratch = || (vec![0.0; width], vec![], stop.asked_rarely());
    SparseMatrix::from_rows(x.shape(), scratch, |(sums, touched, stop), i, row| {
        if stop.is_reached() {
            return;
        }
        let mut add = |j: usize, value: f64| {
            if sums[j] == 0.0 {
                touched.push(j);
            }
            sums[j] += value;
        };
        let (neighbours, weights) = a.neighbours(i);
        for (&k, weight) in neighbours.iter().zip(weights) {
            x.entries(k).for_each(|(j, entry)| add(j, weight * entry));
        }
        for (l, entry) in x.entries(i) {
            let (beside, weights) = b.neighbours(l);
            beside.iter().zip(weights).for_each(|(&j, weight)| add(j, -entry * weight));
        }
        // A column that was 0 in between stands here twice.
        for &mut j in touched.iter_mut() {
            if sums[j] != 0.0 {
                row.push(j, sums[j]);
                sums[j] = 0.0;
            }
        }
        touched.clear();
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use nalgebra::DMatrix;
    use rand::RngExt;

    /// F as it is defined, on the graphs with an isolated vertex for each of the other side.
    fn extended(layers: &Layers, x: &DMatrix<f64>) -> f64 {
        let (n_a, n_b) = layers.shape();
        let n = n_a + n_b;
        let mut whole = DMatrix::zeros(n, n);
        whole.view_mut((0, 0), (n_a, n_b)).copy_from(x);
        (0..n_a).for_each(|i| whole[(i, n_b + i)] = 1.0 - x.row(i).sum());
        (0..n_b).for_each(|j| whole[(n_a + j, j)] = 1.0 - x.column(j).sum());
        let squares = |(a, b): (&Graph, &Graph)| {
            let (a, b) = (a.padded(n).to_matrix(), b.padded(n).to_matrix());
            (a * &whole - &whole * b).norm_squared()
        };
        let similar: f64 = (0..n_a).flat_map(|i| layers.similarities(i).map(move |(j, s)| s * x[(i, j)])).sum();
        layers.a.iter().zip(&layers.b).map(squares).sum::<f64>() - 2.0 * similar
    }

    fn penalty(layers: &Layers, penalty: Penalty, x: &DMatrix<f64>) -> f64 {
        let (n_a, n_b) = layers.shape();
        let (of_a, of_b) = &layers.weights;
        let row = |i: usize| (1.0 - x.row(i).sum(), x.row(i).norm_squared());
        let column = |j: usize| (1.0 - x.column(j).sum(), x.column(j).norm_squared());
        let lines = (0..n_a).map(|i| (of_a[i], row(i))).chain((0..n_b).map(|j| (of_b[j], column(j))));
        let of = |(weight, (slack, squares)): (f64, (f64, f64))| match penalty {
            Penalty::L1MinusL2 => weight * (1.0 - (squares + slack * slack).sqrt()),
            // Σ w_ij(X_ij − X_ij²) with w_ij = (w_i + w_j)/2, and an isolated vertex has no weight.
            _ => 0.5 * weight * (1.0 - squares - slack * slack),
        };
        lines.map(of).sum()
    }

    #[test]
    fn ascent_is_half_the_gradient_downwards_and_the_curvature_that_of_the_squares() {
        for (trial, directed) in [(0, false), (1, true)] {
            let mut rng = rng(51, trial);
            let mut graph = |n: usize| {
                let arcs: Vec<_> = (0..2 * n)
                    .map(|_| (rng.random_range(0..n), rng.random_range(0..n), rng.random_range(0.5..2.0)))
                    .collect();
                if directed { Graph::directed(n, arcs).unwrap() } else { Graph::undirected(n, arcs).unwrap() }
            };
            let layers = Layers::new(vec![(graph(7), graph(9)), (graph(7), graph(9))], &[]).unwrap();
            let entry = |_| (rng.random_range(0..7), rng.random_range(0..9), rng.random_range(-2.0..2.0));
            let similarity = SparseMatrix::from_entries((7, 9), (0..30).map(entry)).unwrap();
            let layers = layers.with_similarity(&similarity).unwrap();
            let x = SparseMatrix::from_rows(
                (7, 9),
                || (),
                |(), i, row| {
                    (0..i % 4).for_each(|k| row.push((2 * i + 3 * k) % 9, 0.05 + 0.04 * k as f64));
                },
            );
            let mut dense = DMatrix::zeros(7, 9);
            (0..7).for_each(|i| x.entries(i).for_each(|(j, entry)| dense[(i, j)] = entry));
            for kind in [Penalty::L1MinusL2, Penalty::Frobenius] {
                let form = Convex { layers: &layers, penalty: kind, lambda: 0.7 };
                let h = |x: &DMatrix<f64>| extended(&layers, x) + 0.7 * penalty(&layers, kind, x);
                let (ascent, residuals) = form.ascent(&x, &Stop::never());
                for i in 0..7 {
                    for (j, value) in ascent.values.entries(i) {
                        let mut shifted = [dense.clone(), dense.clone()];
                        (shifted[0][(i, j)], shifted[1][(i, j)]) = (dense[(i, j)] + 1e-5, dense[(i, j)] - 1e-5);
                        let slope = (h(&shifted[0]) - h(&shifted[1])) / 2e-5;
                        assert!((value + 0.5 * slope).abs() < 1e-6, "{kind:?} ({i}, {j}): {value}, {slope}");
                    }
                }
                let partners = [3, 0, NONE, 5, 8, 1, 2];
                let mut q = DMatrix::zeros(7, 9);
                (0..7).filter(|&i| partners[i] != NONE).for_each(|i| q[(i, partners[i] as usize)] = 1.0);
                let along = |t: f64| extended(&layers, &(&dense * (1.0 - t) + &q * t));
                let second = along(1.0) - 2.0 * along(0.5) + along(0.0);
                let curvature = form.curvature(&x, &residuals, &partners);
                // Half of the second derivative, four times the second difference at steps of ½ over 2.
                assert!((curvature + 2.0 * second).abs() < 1e-9 * second.abs(), "{curvature}, {second}");
            }
        }
    }
}
