//! The product at the last vertex, kept: where the next vertex differs from it in few rows, that many columns of a
//! product are enough.

use super::dense::DensePair;
use crate::columns::multiply;
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// A vertex that differs in more than this share of its rows is multiplied afresh: half the arithmetic saves nothing
/// against gathering.
const MOST_CHANGED: f64 = 0.4;

/// Updates after which the product is computed afresh, which bounds what they lose to rounding.
const FRESH_EVERY: usize = 50;

/// S(Q) = AᵀQB + AQBᵀ for the last Q, n × n, and room to compute it. Empty until it is first asked for.
///
/// For the next Q', S(Q') − S(Q) = Aᵀ(Q' − Q)B + A(Q' − Q)Bᵀ, and Q' − Q has rows only where the vertices differ: with
/// S the set of those, 2|S|n² multiply-adds (|S|n² if A and B are symmetric) in the place of 2n³
/// ([§5](crate::mathematics#5-the-engine)).
#[derive(Debug, Default)]
pub(in crate::objective) struct KeptProduct {
    product: DMatrix<f64>,
    at: Option<Permutation>,
    updates: usize,
    left: DMatrix<f64>,
    right: DMatrix<f64>,
}

impl KeptProduct {
    /// S(Q); unfinished, and not kept, once `stop` is reached.
    pub(super) fn at(&mut self, stop: &Stop, q: &Permutation, pair: &DensePair, symmetric: bool) -> &DMatrix<f64> {
        let n = q.len();
        let changed: Vec<usize> = match &self.at {
            Some(last) if self.updates < FRESH_EVERY => (0..n).filter(|&i| last.apply(i) != q.apply(i)).collect(),
            _ => (0..n).collect(),
        };
        if changed.len() as f64 <= MOST_CHANGED * n as f64 {
            let last = self.at.take().expect("all rows count as changed without it");
            self.update(stop, &changed, &last, q, pair, symmetric);
            self.updates += 1;
        } else {
            self.compute(stop, q, pair, symmetric);
            self.updates = 0;
        }
        self.at = (!stop.is_reached()).then(|| q.clone());
        &self.product
    }

    fn compute(&mut self, stop: &Stop, q: &Permutation, DensePair { a, b }: &DensePair, symmetric: bool) {
        let n = q.len();
        self.product.resize_mut(n, n, 0.0);
        self.right.resize_mut(n, n, 0.0);
        for (mut to, from) in self.right.column_iter_mut().zip(b.column_iter()) {
            to.iter_mut().zip(q.image()).for_each(|(to, &j)| *to = from[j]);
        }
        if symmetric {
            multiply(stop, &mut self.product, 2.0, a, &self.right, 0.0);
            return;
        }
        multiply(stop, &mut self.product, 1.0, &a.transpose(), &self.right, 0.0);
        for (l, mut to) in self.right.column_iter_mut().enumerate() {
            to.iter_mut().zip(q.image()).for_each(|(to, &j)| *to = b[(l, j)]);
        }
        multiply(stop, &mut self.product, 1.0, a, &self.right, 1.0);
    }

    fn update(
        &mut self,
        stop: &Stop,
        changed: &[usize],
        last: &Permutation,
        q: &Permutation,
        DensePair { a, b }: &DensePair,
        symmetric: bool,
    ) {
        let n = q.len();
        self.left.resize_mut(n, changed.len(), 0.0);
        self.right.resize_mut(changed.len(), n, 0.0);
        let mut add = |factor: f64, entry_a: &dyn Fn(usize, usize) -> f64, entry_b: &dyn Fn(usize, usize) -> f64| {
            for (mut to, &i) in self.left.column_iter_mut().zip(changed) {
                to.iter_mut().enumerate().for_each(|(k, to)| *to = entry_a(k, i));
            }
            for (l, mut to) in self.right.column_iter_mut().enumerate() {
                let moved = |&i: &usize| entry_b(q.apply(i), l) - entry_b(last.apply(i), l);
                to.iter_mut().zip(changed).for_each(|(to, i)| *to = moved(i));
            }
            multiply(stop, &mut self.product, factor, &self.left, &self.right, 1.0);
        };
        if symmetric {
            add(2.0, &|k, i| a[(k, i)], &|j, l| b[(j, l)]);
        } else {
            add(1.0, &|k, i| a[(i, k)], &|j, l| b[(j, l)]);
            add(1.0, &|k, i| a[(k, i)], &|j, l| b[(l, j)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use rand_distr::{Distribution, StandardNormal};

    #[test]
    fn a_kept_product_follows_vertices_that_change_a_little_or_altogether() {
        let (n, mut rng) = (30, rng(11, 0));
        for symmetric in [true, false] {
            let mut draw = || {
                let w = DMatrix::from_fn(n, n, |_, _| StandardNormal.sample(&mut rng));
                if symmetric { &w + w.transpose() } else { w }
            };
            let pair = DensePair { a: draw(), b: draw() };
            let mut kept = KeptProduct::default();
            let mut q = Permutation::random(n, &mut rng);
            for step in 0..200 {
                if step % 70 == 69 {
                    q = Permutation::random(n, &mut rng);
                }
                q.swap(step % n, (7 * step + 3) % n);
                let at = q.to_matrix();
                let expected = pair.a.transpose() * &at * &pair.b + &pair.a * &at * pair.b.transpose();
                let error = (kept.at(&Stop::never(), &q, &pair, symmetric) - &expected).norm();
                assert!(error < 1e-12 * expected.norm(), "step {step}: {error}");
            }
            assert!(kept.updates > 0 && kept.updates < FRESH_EVERY);
        }
    }
}
