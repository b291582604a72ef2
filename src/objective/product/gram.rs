//! The products AᵀA and BBᵀ, which the convex form of graph matching has besides.

use super::arcs::add_times_graph;
use super::bits::BitMatrix;
use super::exchange::Exchange;
use super::form::Form;
use crate::columns::{for_each_column, multiply};
use crate::graph::Graph;
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;

impl Exchange {
    /// AᵀA and BBᵀ; `None` where `stop` came first.
    pub fn grams(&self, stop: &Stop) -> Option<(Gram, Gram)> {
        let n = self.size();
        let same = Permutation::identity(n);
        let dense = |write: &dyn Fn(&mut DMatrix<f64>)| {
            let mut product = DMatrix::zeros(n, n);
            write(&mut product);
            Gram::Dense(product)
        };
        let squared = |w: &DMatrix<f64>, turned: &DMatrix<f64>| dense(&|to| multiply(stop, to, 1.0, w, turned, 0.0));
        let counted =
            |rows: &BitMatrix, arcs: &Graph| dense(&|to| rows.blend_times(stop, 1.0, arcs, same.image(), 0.0, to));
        let grams = match &self.form {
            Form::Sparse => (Gram::Sparse(gram(stop, &self.a_transposed)?), Gram::Sparse(gram(stop, &self.b)?)),
            Form::Bits(bits) => (counted(bits.a_transposed(), &self.a_transposed), counted(&bits.b, &self.b)),
            Form::Dense(pair) => (squared(&pair.a.transpose(), &pair.a), squared(&pair.b, &pair.b.transpose())),
        };
        (!stop.is_reached()).then_some(grams)
    }
}

/// A symmetric product W·Wᵀ, sparse or dense as its graphs are.
#[derive(Debug, Clone)]
pub(in crate::objective) enum Gram {
    Sparse(Graph),
    Dense(DMatrix<f64>),
}

impl Gram {
    pub fn trace(&self) -> f64 {
        match self {
            Gram::Sparse(graph) => (0..graph.vertex_count()).map(|i| graph.weight(i, i)).sum(),
            Gram::Dense(matrix) => matrix.trace(),
        }
    }

    /// `target += c·W·X`, W this one.
    pub fn add_times(&self, stop: &Stop, c: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        match self {
            Gram::Sparse(graph) => {
                for_each_column(stop, target, |j, column| {
                    for (k, &v) in x.column(j).iter().enumerate().filter(|&(_, &v)| v != 0.0) {
                        let (targets, weights) = graph.neighbours(k);
                        targets.iter().zip(weights).for_each(|(&i, &weight)| column[i] += c * weight * v);
                    }
                });
            }
            Gram::Dense(matrix) => multiply(stop, target, c, matrix, x, 1.0),
        }
    }

    /// `target += c·X·W`.
    pub fn add_times_on_the_right(&self, stop: &Stop, c: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        match self {
            Gram::Sparse(graph) => add_times_graph(stop, c, x, graph, target),
            Gram::Dense(matrix) => multiply(stop, target, c, x, matrix, 1.0),
        }
    }

    /// `target += c·W·Q`, from = q⁻¹: column j of it is column q⁻¹(j) of W.
    pub fn add_columns_moved(&self, stop: &Stop, c: f64, from: &Permutation, target: &mut DMatrix<f64>) {
        for_each_column(stop, target, |j, column| match self {
            Gram::Sparse(graph) => {
                let (rows, weights) = graph.neighbours(from.apply(j));
                rows.iter().zip(weights).for_each(|(&i, &weight)| column[i] += c * weight);
            }
            Gram::Dense(matrix) => {
                column.iter_mut().zip(&matrix.column(from.apply(j))).for_each(|(to, &weight)| *to += c * weight);
            }
        });
    }

    /// `target += c·Q·W`: entry (i, j) of it is W\[q(i), j\].
    pub fn add_rows_moved(&self, stop: &Stop, c: f64, q: &Permutation, from: &Permutation, target: &mut DMatrix<f64>) {
        let n = q.len();
        for_each_column(stop, target, |j, column| match self {
            Gram::Sparse(graph) => {
                let (images, weights) = graph.neighbours(j);
                images.iter().zip(weights).for_each(|(&m, &weight)| column[from.apply(m)] += c * weight);
            }
            Gram::Dense(matrix) => {
                let source = &matrix.as_slice()[j * n..(j + 1) * n];
                column.iter_mut().zip(q.image()).for_each(|(to, &i)| *to += c * source[i]);
            }
        });
    }
}

/// W·Wᵀ as a graph; `None` where `stop` came first.
fn gram(stop: &Stop, graph: &Graph) -> Option<Graph> {
    let n = graph.vertex_count();
    let transposed = graph.transpose();
    let mut row = vec![0.0; n];
    let mut touched = vec![];
    let mut arcs = vec![];
    for i in 0..n {
        if stop.is_reached() {
            return None;
        }
        let (targets, weights) = graph.neighbours(i);
        for (&k, &weight) in targets.iter().zip(weights) {
            let (others, factors) = transposed.neighbours(k);
            for (&j, &factor) in others.iter().zip(factors) {
                if row[j] == 0.0 {
                    touched.push(j);
                }
                row[j] += weight * factor;
            }
        }
        touched.sort_unstable();
        touched.dedup();
        arcs.extend(touched.drain(..).map(|j| (i, j, std::mem::take(&mut row[j]))));
    }
    Some(Graph::directed(n, arcs).expect("the arcs of a valid graph"))
}

#[cfg(test)]
mod tests {
    use super::super::exchange::tests::pairs;
    use super::*;
    use crate::instance::rng;
    use rand_distr::{Distribution, StandardNormal};

    const NEVER: Stop = Stop::never();

    #[test]
    fn gram_products_agree_with_the_dense_formula() {
        let mut rng = rng(3, 0);
        for pair in pairs() {
            let n = pair.size();
            let q = Permutation::random(n, &mut rng);
            let x = DMatrix::from_fn(n, n, |_, _| StandardNormal.sample(&mut rng));
            let (a, b) = (pair.a.to_matrix(), pair.b.to_matrix());
            let (left, right) = pair.grams(&NEVER).unwrap();
            for (gram, w) in [(left, a.transpose() * &a), (right, &b * b.transpose())] {
                let tolerance = 1e-12 * (1.0 + w.norm() * x.norm());
                assert!((gram.trace() - w.trace()).abs() < tolerance);
                let mut product = x.clone();
                gram.add_times(&NEVER, 2.0, &x, &mut product);
                gram.add_times_on_the_right(&NEVER, 3.0, &x, &mut product);
                assert!((&product - (&x + &w * &x * 2.0 + &x * &w * 3.0)).norm() < tolerance);
                let mut moved = x.clone();
                gram.add_columns_moved(&NEVER, 2.0, &q.inverse(), &mut moved);
                gram.add_rows_moved(&NEVER, 3.0, &q, &q.inverse(), &mut moved);
                let at = q.to_matrix();
                assert!((&moved - (&x + &w * &at * 2.0 + &at * &w * 3.0)).norm() < tolerance);
            }
        }
    }
}
