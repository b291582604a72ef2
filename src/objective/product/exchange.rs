//! The product all quadratic graph objectives share: S(X) = AᵀXB + AXBᵀ, at a matrix and at a permutation.
//!
//! ⟨S(X), X⟩ = 2 tr(AᵀXBXᵀ). At a permutation Q, QB is B with its rows moved, so that one product is left
//! (A and B symmetric: A·(QB) serves both terms). Sparse graphs never form an n × n product: A·(QB) costs
//! Σ over arcs (m, l) of B of the degree of q⁻¹(m) in A, about n·d².
//!
//! What takes long takes a [`Stop`]; once that is reached, targets are left as they happen to be.

use super::arcs::{add_times_graph, graph_times};
use super::dense::{BitPair, DensePair};
use super::form::{Form, chosen};
use super::kept::KeptProduct;
use crate::columns::{for_each_column, multiply};
use crate::graph::Graph;
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::{DMatrix, DVectorView};

/// A pair of graphs on the same number of vertices, prepared for products.
#[derive(Debug, Clone)]
pub(in crate::objective) struct Exchange {
    pub a: Graph,
    pub b: Graph,
    // A symmetric graph shares its arcs with its transpose.
    pub(super) a_transposed: Graph,
    b_transposed: Graph,
    symmetric: bool,
    pub(super) form: Form<DensePair, BitPair>,
}

impl Exchange {
    pub fn new(a: Graph, b: Graph) -> Self {
        let symmetric = a.is_symmetric() && b.is_symmetric();
        let (a_transposed, b_transposed) = (a.transpose(), b.transpose());
        let form = match chosen(&a, &b) {
            Form::Sparse => Form::Sparse,
            Form::Dense(()) => Form::Dense(DensePair::of(&a, &b)),
            Form::Bits(()) => Form::Bits(BitPair::of(&a, &b)),
        };
        Exchange { a, b, a_transposed, b_transposed, symmetric, form }
    }

    /// A and B as matrices, where they are dense.
    fn matrices(&self) -> Option<&DensePair> {
        match &self.form {
            Form::Sparse => None,
            Form::Dense(pair) | Form::Bits(BitPair { matrices: pair, .. }) => Some(pair),
        }
    }

    pub fn size(&self) -> usize {
        self.a.vertex_count()
    }

    /// A\[i, k\].
    #[inline]
    fn weight_a(&self, i: usize, k: usize) -> f64 {
        self.matrices().map_or_else(|| self.a.weight(i, k), |dense| dense.a[(i, k)])
    }

    /// B\[j, l\].
    #[inline]
    fn weight_b(&self, j: usize, l: usize) -> f64 {
        self.matrices().map_or_else(|| self.b.weight(j, l), |dense| dense.b[(j, l)])
    }

    /// `target += c·(AᵀXB + AXBᵀ)`. Dense: two products (one if A and B are symmetric); sparse: O(n·arcs).
    pub fn add_product(&self, stop: &Stop, c: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        if let Some(DensePair { a, b }) = self.matrices() {
            let mut product = DMatrix::zeros(x.nrows(), x.ncols());
            multiply(stop, &mut product, 1.0, a, x, 0.0);
            if self.symmetric {
                multiply(stop, target, 2.0 * c, &product, b, 1.0);
            } else {
                multiply(stop, target, c, &product, &b.transpose(), 1.0);
                multiply(stop, &mut product, 1.0, &a.transpose(), x, 0.0);
                multiply(stop, target, c, &product, b, 1.0);
            }
            return;
        }
        let (a, b) = (&self.a, &self.b);
        if self.symmetric {
            add_times_graph(stop, 2.0 * c, &graph_times(stop, a, x), b, target);
        } else {
            add_times_graph(stop, c, &graph_times(stop, &self.a_transposed, x), &self.b_transposed, target);
            add_times_graph(stop, c, &graph_times(stop, a, x), b, target);
        }
    }

    /// `target ← beta·target + c·(AᵀQB + AQBᵀ)`; `kept` is of earlier calls on this pair (left alone but for dense
    /// weighted graphs).
    pub fn blend_product_at(
        &self,
        stop: &Stop,
        c: f64,
        q: &Permutation,
        beta: f64,
        kept: &mut KeptProduct,
        target: &mut DMatrix<f64>,
    ) {
        match &self.form {
            Form::Bits(bits) => {
                let from = q.inverse();
                if self.symmetric {
                    bits.a.blend_times(stop, 2.0 * c, &self.b, from.image(), beta, target);
                } else {
                    bits.a_transposed().blend_times(stop, c, &self.b_transposed, from.image(), beta, target);
                    bits.a.blend_times(stop, c, &self.b, from.image(), 1.0, target);
                }
            }
            Form::Dense(pair) => {
                let product = kept.at(stop, q, pair, self.symmetric);
                for_each_column(stop, target, |j, column| {
                    column.iter_mut().zip(&product.column(j)).for_each(|(to, &v)| *to = beta * *to + c * v);
                });
            }
            Form::Sparse => self.blend_over_arcs(stop, c, q, beta, target),
        }
    }

    /// [`blend_product_at`](Self::blend_product_at), over arcs.
    fn blend_over_arcs(&self, stop: &Stop, c: f64, q: &Permutation, beta: f64, target: &mut DMatrix<f64>) {
        if beta != 1.0 {
            *target *= beta;
        }
        let from = q.inverse();
        // Column l of AᵀQB: the sum over arcs m → l of B of B[m, l] times column q⁻¹(m) of Aᵀ, that is row q⁻¹(m) of A.
        let mut add = |c: f64, rows_of: &Graph, arcs_into: &Graph| {
            for_each_column(stop, target, |l, column| {
                let (sources, weights) = arcs_into.neighbours(l);
                for (&m, &weight) in sources.iter().zip(weights) {
                    let (rows, values) = rows_of.neighbours(from.apply(m));
                    rows.iter().zip(values).for_each(|(&i, &value)| column[i] += c * weight * value);
                }
            });
        };
        if self.symmetric {
            add(2.0 * c, &self.a, &self.b);
        } else {
            add(c, &self.a, &self.b_transposed);
            add(c, &self.a_transposed, &self.b);
        }
    }

    /// Σ over i and k of `of`(A\[i, k\], B\[p(i), p(k)\]), column by column, as dense matrices lie in memory. O(n²).
    fn sum_by_columns(DensePair { a, b }: &DensePair, p: &Permutation, of: impl Fn(f64, f64) -> f64) -> f64 {
        let column = |(of_a, &pk): (DVectorView<f64>, &usize)| -> f64 {
            let of_b = b.column(pk);
            of_a.iter().zip(p.image()).map(|(&weight, &pi)| of(weight, of_b[pi])).sum()
        };
        a.column_iter().zip(p.image()).map(column).sum()
    }

    /// ‖A − PBPᵀ‖² = Σ (A\[i, k\] − B\[p(i), p(k)\])². O(arcs), or O(n²) where the graphs are dense.
    pub fn squared_distance_at(&self, p: &Permutation) -> f64 {
        if let Some(pair) = self.matrices() {
            return Self::sum_by_columns(pair, p, |a, b| (a - b).powi(2));
        }
        let from = p.inverse();
        let met = self.a.arcs().map(|(i, k, weight)| (weight - self.b.weight(p.apply(i), p.apply(k))).powi(2));
        let unmet = self.b.arcs().filter(|&(j, l, _)| self.a.weight(from.apply(j), from.apply(l)) == 0.0);
        met.sum::<f64>() + unmet.map(|(_, _, weight)| weight * weight).sum::<f64>()
    }

    /// tr(AᵀPBPᵀ) = Σ A\[i, k\]·B\[p(i), p(k)\]. O(arcs of A), or O(n²) where the graphs are dense.
    pub fn inner_product_at(&self, p: &Permutation) -> f64 {
        match &self.form {
            Form::Bits(bits) => {
                let met = |i: usize| {
                    let (targets, pi) = (self.a.neighbours(i).0, p.apply(i));
                    targets.iter().map(|&k| u64::from(bits.b.contains(pi, p.apply(k)))).sum::<u64>()
                };
                (0..self.size()).map(met).sum::<u64>() as f64
            }
            Form::Dense(pair) => Self::sum_by_columns(pair, p, |a, b| a * b),
            Form::Sparse => self.a.arcs().map(|(i, k, weight)| weight * self.b.weight(p.apply(i), p.apply(k))).sum(),
        }
    }

    /// `costs[i, j] += ` the least of s·(A_ii B_jj + Σ_{k≠i} A_ik B_{j,π(k)}) over bijections π of the rest. O(n³).
    ///
    /// By the rearrangement inequality: one row ascending, one descending (ascending if s < 0). Not all, at `stop`.
    pub fn add_least_contributions(&self, stop: &Stop, sign: f64, costs: &mut DMatrix<f64>) {
        let n = self.size();
        let sorted = |graph: &Graph, i: usize, descending: bool| {
            let mut row = vec![0.0; n];
            let (targets, weights) = graph.neighbours(i);
            targets.iter().zip(weights).for_each(|(&k, &weight)| row[k] = weight);
            let own = row.swap_remove(i);
            row.sort_unstable_by(f64::total_cmp);
            if descending {
                row.reverse();
            }
            (own, row)
        };
        let rows_of_b: Vec<_> = (0..n).map(|j| sorted(&self.b, j, sign > 0.0)).collect();
        for i in (0..n).take_while(|_| !stop.is_reached()) {
            let (own, row) = sorted(&self.a, i, false);
            for (j, (other, row_of_b)) in rows_of_b.iter().enumerate() {
                let product: f64 = row.iter().zip(row_of_b).map(|(a, b)| a * b).sum();
                costs[(i, j)] += sign * (own * other + product);
            }
        }
    }

    /// tr(AᵀΔBΔᵀ) for Δ = uvᵀ, u = e_r − e_s, v = e_ps − e_pr: (uᵀAu)(vᵀBv). Dense O(1), sparse O(log degree).
    pub fn swap_curvature(&self, r: usize, s: usize, pr: usize, ps: usize) -> f64 {
        let a = self.weight_a(r, r) - self.weight_a(r, s) - self.weight_a(s, r) + self.weight_a(s, s);
        if a == 0.0 {
            return 0.0;
        }
        a * (self.weight_b(pr, pr) - self.weight_b(pr, ps) - self.weight_b(ps, pr) + self.weight_b(ps, ps))
    }

    /// A row k whose image is next to the image of a neighbour of i: exchanged with it, i has that edge in common.
    pub fn draw_swap(
        &self,
        p: &Permutation,
        inverse: &Permutation,
        i: usize,
        draw: &mut dyn FnMut(usize) -> usize,
    ) -> Option<usize> {
        let mut neighbour = |graph: &Graph, vertex| {
            let (targets, _) = graph.neighbours(vertex);
            if targets.is_empty() { None } else { Some(targets[draw(targets.len())]) }
        };
        let beside = neighbour(&self.a, i)?;
        neighbour(&self.b_transposed, p.apply(beside)).map(|image| inverse.apply(image))
    }

    /// The change of tr(AᵀPBPᵀ) when p(r) and p(s) are exchanged. O(degree of r and s), O(n) when dense.
    ///
    /// Σ_{k ≠ r,s} (A_rk − A_sk)(B_{ps,pk} − B_{pr,pk}) + (A_kr − A_ks)(B_{pk,ps} − B_{pk,pr}), and the four entries
    /// among r and s (Taillard 1995, for asymmetric matrices).
    pub fn swap_change(&self, p: &Permutation, r: usize, s: usize) -> f64 {
        let (pr, ps) = (p.apply(r), p.apply(s));
        let half = |out: &Graph, b: &dyn Fn(usize, usize) -> f64| {
            let side = |vertex: usize, sign: f64| -> f64 {
                let (targets, weights) = out.neighbours(vertex);
                let terms = targets.iter().zip(weights).filter(|&(&k, _)| k != r && k != s);
                terms.map(|(&k, &weight)| sign * weight * (b(ps, p.apply(k)) - b(pr, p.apply(k)))).sum()
            };
            side(r, 1.0) + side(s, -1.0)
        };
        // Where B is symmetric, along its columns.
        let outgoing = half(&self.a, &|j, l| if self.symmetric { self.weight_b(l, j) } else { self.weight_b(j, l) });
        let incoming = if self.symmetric { outgoing } else { half(&self.a_transposed, &|j, l| self.weight_b(l, j)) };
        let loops = (self.weight_a(r, r) - self.weight_a(s, s)) * (self.weight_b(ps, ps) - self.weight_b(pr, pr));
        let between = (self.weight_a(r, s) - self.weight_a(s, r)) * (self.weight_b(ps, pr) - self.weight_b(pr, ps));
        outgoing + incoming + loops + between
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::instance::rng;
    use rand_distr::{Distribution, StandardNormal};

    const NEVER: Stop = Stop::never();

    fn random_graph(n: usize, keep: f64, symmetric: bool, trial: u64) -> Graph {
        let mut rng = rng(7, trial);
        let mut w = DMatrix::from_fn(n, n, |_, _| {
            let value: f64 = StandardNormal.sample(&mut rng);
            if value.abs() < keep { value } else { 0.0 }
        });
        if symmetric {
            w = &w + w.transpose();
        }
        Graph::from_matrix(&w).unwrap()
    }

    /// Sparse and dense, symmetric and not, with loops.
    pub fn pairs() -> Vec<Exchange> {
        let n = 12;
        let mut pairs = Vec::new();
        for (trial, (keep, symmetric)) in [(0.1, true), (0.1, false), (9.0, true), (9.0, false)].into_iter().enumerate()
        {
            let a = random_graph(n, keep, symmetric, 2 * trial as u64);
            pairs.push(Exchange::new(a, random_graph(n, keep, symmetric, 2 * trial as u64 + 1)));
        }
        assert!(matches!((&pairs[0].form, &pairs[2].form), (Form::Sparse, Form::Dense(_))));
        // Unweighted, over a word and a block of rows.
        for symmetric in [true, false] {
            let unweighted = |trial| {
                let w = random_graph(70, 0.6, symmetric, trial).to_matrix();
                Graph::from_matrix(&w.map(|v| f64::from(u8::from(v != 0.0)))).unwrap()
            };
            pairs.push(Exchange::new(unweighted(8), unweighted(9)));
            assert!(matches!(pairs.last().unwrap().form, Form::Bits(_)));
        }
        pairs
    }

    #[test]
    fn products_agree_with_the_dense_formula() {
        let mut rng = rng(1, 0);
        for pair in pairs() {
            let n = pair.size();
            let (a, b) = (pair.a.to_matrix(), pair.b.to_matrix());
            let x = DMatrix::from_fn(n, n, |_, _| StandardNormal.sample(&mut rng));
            let mut product = DMatrix::zeros(n, n);
            pair.add_product(&NEVER, 3.0, &x, &mut product);
            let formula = |x: &DMatrix<f64>| (a.transpose() * x * &b + &a * x * b.transpose()) * 3.0;
            assert!((&product - formula(&x)).norm() < 1e-12 * (1.0 + product.norm()));

            let q = Permutation::random(n, &mut rng);
            let mut blended = x.clone();
            pair.blend_product_at(&NEVER, 3.0, &q, 0.25, &mut KeptProduct::default(), &mut blended);
            let expected = &x * 0.25 + formula(&q.to_matrix());
            assert!((&blended - expected).norm() < 1e-12 * (1.0 + blended.norm()));
        }
    }

    #[test]
    fn a_swap_changes_the_value_by_what_is_said() {
        let mut rng = rng(2, 0);
        for pair in pairs() {
            let p = Permutation::random(pair.size(), &mut rng);
            for (r, s) in [(0, 1), (3, 7), (11, 2)] {
                let mut swapped = p.clone();
                swapped.swap(r, s);
                let change = pair.inner_product_at(&swapped) - pair.inner_product_at(&p);
                assert!((pair.swap_change(&p, r, s) - change).abs() < 1e-10);
            }
        }
    }
}
