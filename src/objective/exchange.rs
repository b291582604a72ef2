//! The product all quadratic graph objectives share: S(X) = AᵀXB + AXBᵀ, at a matrix and at a permutation.
//!
//! ⟨S(X), X⟩ = 2 tr(AᵀXBXᵀ). At a permutation Q, QB is B with its rows moved, so that one product is left
//! (A and B symmetric: A·(QB) serves both terms). Sparse graphs never form an n × n product: A·(QB) costs
//! Σ over arcs (m, l) of B of the degree of q⁻¹(m) in A, about n·d².
//!
//! What takes long takes a [`Stop`]; once that is reached, targets are left as they happen to be.

use super::bits::BitMatrix;
use super::dense_pair::{BitTriple, DensePair};
use super::kept::KeptProduct;
use crate::columns::{for_each_column, multiply};
use crate::graph::Graph;
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::{DMatrix, DVectorView};

/// A pair of graphs on the same number of vertices, prepared for products.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub a: Graph,
    pub b: Graph,
    a_transposed: Graph,
    b_transposed: Graph,
    symmetric: bool,
    dense: Option<DensePair>,
}

/// A multiply-add of a scattered sparse product costs about as much as this many of a blocked dense one.
const SPARSE_PENALTY: f64 = 16.0;

impl Exchange {
    pub fn new(a: Graph, b: Graph) -> Self {
        let n = a.vertex_count() as f64;
        let sparse_cost = a.arc_count() as f64 * b.arc_count() as f64 / n.max(1.0);
        let symmetric = a.is_symmetric() && b.is_symmetric();
        let (a_transposed, b_transposed) = (a.transpose(), b.transpose());
        let dense = (sparse_cost * SPARSE_PENALTY > n * n * n).then(|| {
            let bits = || {
                let a_transposed = BitMatrix::of(&a_transposed)?;
                Some(BitTriple { a: BitMatrix::of(&a)?, a_transposed, b: BitMatrix::of(&b)? })
            };
            DensePair { a: a.to_matrix(), b: b.to_matrix(), bits: bits() }
        });
        Exchange { a, b, a_transposed, b_transposed, symmetric, dense }
    }

    pub fn size(&self) -> usize {
        self.a.vertex_count()
    }

    /// A\[i, k\].
    #[inline]
    fn weight_a(&self, i: usize, k: usize) -> f64 {
        self.dense.as_ref().map_or_else(|| self.a.weight(i, k), |dense| dense.a[(i, k)])
    }

    /// B\[j, l\].
    #[inline]
    fn weight_b(&self, j: usize, l: usize) -> f64 {
        self.dense.as_ref().map_or_else(|| self.b.weight(j, l), |dense| dense.b[(j, l)])
    }

    /// `target += c·(AᵀXB + AXBᵀ)`. Dense: two products (one if A and B are symmetric); sparse: O(n·arcs).
    pub fn add_product(&self, stop: &Stop, c: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        if let Some(DensePair { a, b, .. }) = &self.dense {
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
        if let Some(DensePair { bits: Some(bits), .. }) = &self.dense {
            let from = q.inverse();
            if self.symmetric {
                bits.a.blend_times(stop, 2.0 * c, &self.b, from.image(), beta, target);
            } else {
                bits.a_transposed.blend_times(stop, c, &self.b_transposed, from.image(), beta, target);
                bits.a.blend_times(stop, c, &self.b, from.image(), 1.0, target);
            }
            return;
        }
        if let Some(pair) = &self.dense {
            let product = kept.at(stop, q, pair, self.symmetric);
            for_each_column(stop, target, |j, column| {
                column.iter_mut().zip(&product.column(j)).for_each(|(to, &v)| *to = beta * *to + c * v);
            });
            return;
        }
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
    fn sum_by_columns(DensePair { a, b, .. }: &DensePair, p: &Permutation, of: impl Fn(f64, f64) -> f64) -> f64 {
        let column = |(of_a, &pk): (DVectorView<f64>, &usize)| -> f64 {
            let of_b = b.column(pk);
            of_a.iter().zip(p.image()).map(|(&weight, &pi)| of(weight, of_b[pi])).sum()
        };
        a.column_iter().zip(p.image()).map(column).sum()
    }

    /// ‖A − PBPᵀ‖² = Σ (A\[i, k\] − B\[p(i), p(k)\])². O(arcs), or O(n²) where the graphs are dense.
    pub fn squared_distance_at(&self, p: &Permutation) -> f64 {
        if let Some(pair) = &self.dense {
            return Self::sum_by_columns(pair, p, |a, b| (a - b).powi(2));
        }
        let from = p.inverse();
        let met = self.a.arcs().map(|(i, k, weight)| (weight - self.b.weight(p.apply(i), p.apply(k))).powi(2));
        let unmet = self.b.arcs().filter(|&(j, l, _)| self.a.weight(from.apply(j), from.apply(l)) == 0.0);
        met.sum::<f64>() + unmet.map(|(_, _, weight)| weight * weight).sum::<f64>()
    }

    /// tr(AᵀPBPᵀ) = Σ A\[i, k\]·B\[p(i), p(k)\]. O(arcs of A), or O(n²) where the graphs are dense.
    pub fn inner_product_at(&self, p: &Permutation) -> f64 {
        if let Some(DensePair { bits: Some(bits), .. }) = &self.dense {
            let met = |i: usize| {
                let (targets, pi) = (self.a.neighbours(i).0, p.apply(i));
                targets.iter().map(|&k| u64::from(bits.b.contains(pi, p.apply(k)))).sum::<u64>()
            };
            return (0..self.size()).map(met).sum::<u64>() as f64;
        }
        if let Some(pair) = &self.dense {
            return Self::sum_by_columns(pair, p, |a, b| a * b);
        }
        self.a.arcs().map(|(i, k, weight)| weight * self.weight_b(p.apply(i), p.apply(k))).sum()
    }

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
        let grams = match &self.dense {
            None => (Gram::Sparse(gram(stop, &self.a_transposed)?), Gram::Sparse(gram(stop, &self.b)?)),
            Some(DensePair { bits: Some(bits), .. }) => {
                (counted(&bits.a_transposed, &self.a_transposed), counted(&bits.b, &self.b))
            }
            Some(DensePair { a, b, .. }) => (squared(&a.transpose(), a), squared(b, &b.transpose())),
        };
        (!stop.is_reached()).then_some(grams)
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

/// A symmetric product W·Wᵀ, sparse or dense as its graphs are.
#[derive(Debug, Clone)]
pub(super) enum Gram {
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

/// W·X, column by column.
pub(super) fn graph_times(stop: &Stop, graph: &Graph, x: &DMatrix<f64>) -> DMatrix<f64> {
    let mut product = DMatrix::zeros(x.nrows(), x.ncols());
    for_each_column(stop, &mut product, |j, to| {
        let from = x.column(j);
        for (i, to) in to.iter_mut().enumerate() {
            let (targets, weights) = graph.neighbours(i);
            *to = targets.iter().zip(weights).map(|(&k, &weight)| weight * from[k]).sum();
        }
    });
    product
}

/// `target += c·X·Wᵀ`: column l gains Σ_m W\[l, m\]·X_:m.
pub(super) fn add_times_graph(stop: &Stop, c: f64, x: &DMatrix<f64>, graph: &Graph, target: &mut DMatrix<f64>) {
    for_each_column(stop, target, |l, column| {
        let (targets, weights) = graph.neighbours(l);
        for (&m, &weight) in targets.iter().zip(weights) {
            column.iter_mut().zip(&x.column(m)).for_each(|(to, &v)| *to += c * weight * v);
        }
    });
}

#[cfg(test)]
mod tests {
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
    fn pairs() -> Vec<Exchange> {
        let n = 12;
        let mut pairs = Vec::new();
        for (trial, (keep, symmetric)) in [(0.1, true), (0.1, false), (9.0, true), (9.0, false)].into_iter().enumerate()
        {
            let a = random_graph(n, keep, symmetric, 2 * trial as u64);
            pairs.push(Exchange::new(a, random_graph(n, keep, symmetric, 2 * trial as u64 + 1)));
        }
        assert!(pairs[0].dense.is_none() && pairs[2].dense.is_some());
        // Unweighted, over a word and a block of rows.
        for symmetric in [true, false] {
            let unweighted = |trial| {
                let w = random_graph(70, 0.6, symmetric, trial).to_matrix();
                Graph::from_matrix(&w.map(|v| f64::from(u8::from(v != 0.0)))).unwrap()
            };
            pairs.push(Exchange::new(unweighted(8), unweighted(9)));
            assert!(pairs.last().unwrap().dense.as_ref().unwrap().bits.is_some());
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
