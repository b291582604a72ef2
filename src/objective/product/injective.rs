//! A small and a large graph, prepared for products at injections.

use super::arcs::{add_times_graph, graph_times};
use super::bits::BitMatrix;
use super::dense::DensePair;
use super::form::{Form, chosen};
use crate::columns::{for_each_column, multiply};
use crate::graph::Graph;
use crate::injection::Injection;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// A pair of graphs, the smaller one first.
#[derive(Debug, Clone)]
pub(in crate::objective) struct InjectiveLayer {
    pub small: Graph,
    pub large: Graph,
    pub small_transposed: Graph,
    pub large_transposed: Graph,
    pub symmetric: bool,
    /// Dense: S and L.
    form: Form<DensePair, LargeBits>,
}

/// L and, where the layer is not symmetric, Lᵀ.
#[derive(Debug, Clone)]
struct LargeBits {
    large: BitMatrix,
    transposed: Option<BitMatrix>,
}

impl InjectiveLayer {
    pub fn new(small: Graph, large: Graph) -> Self {
        let symmetric = small.is_symmetric() && large.is_symmetric();
        let (small_transposed, large_transposed) = (small.transpose(), large.transpose());
        let form = match chosen(&small, &large) {
            Form::Sparse => Form::Sparse,
            Form::Dense(()) => Form::Dense(DensePair::of(&small, &large)),
            Form::Bits(()) => {
                let transposed = (!symmetric).then(|| BitMatrix::of(&large_transposed));
                Form::Bits(LargeBits { large: BitMatrix::of(&large), transposed })
            }
        };
        InjectiveLayer { small, large, small_transposed, large_transposed, symmetric, form }
    }

    /// L\[j, l\].
    #[inline]
    fn weight(&self, j: usize, l: usize) -> f64 {
        match &self.form {
            Form::Bits(bits) => f64::from(u8::from(bits.large.contains(j, l))),
            Form::Dense(DensePair { b: large, .. }) => large[(j, l)],
            Form::Sparse => self.large.weight(j, l),
        }
    }

    /// `target += c·(LXSᵀ + LᵀXS)`.
    pub fn add_product(&self, stop: &Stop, c: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        if self.symmetric {
            return add_times_graph(stop, 2.0 * c, &graph_times(stop, &self.large, x), &self.small, target);
        }
        add_times_graph(stop, c, &graph_times(stop, &self.large, x), &self.small, target);
        add_times_graph(stop, c, &graph_times(stop, &self.large_transposed, x), &self.small_transposed, target);
    }

    /// `target ← beta·target + c·(LPSᵀ + LᵀPS)`.
    pub fn blend_product_at(&self, stop: &Stop, c: f64, p: &Injection, beta: f64, target: &mut DMatrix<f64>) {
        let twice = if self.symmetric { 2.0 * c } else { c };
        match &self.form {
            Form::Bits(LargeBits { large, transposed }) => {
                large.blend_times(stop, twice, &self.small, p.image(), beta, target);
                if let Some(transposed) = transposed {
                    transposed.blend_times(stop, c, &self.small_transposed, p.image(), 1.0, target);
                }
            }
            Form::Dense(DensePair { a: small, b: large }) => {
                let at = |j: usize, k: usize| large[(j, p.apply(k))];
                let turned = |j: usize, k: usize| large[(p.apply(k), j)];
                let moved = DMatrix::from_fn(p.places(), p.vertices(), at);
                multiply(stop, target, twice, &moved, &small.transpose(), beta);
                if !self.symmetric {
                    multiply(stop, target, c, &DMatrix::from_fn(p.places(), p.vertices(), turned), small, 1.0);
                }
            }
            Form::Sparse => {
                if beta != 1.0 {
                    *target *= beta;
                }
                // Column i of LPSᵀ: the sum over the arcs i → k of S of column p(k) of L.
                let mut add = |c: f64, small: &Graph, columns_of_large: &Graph| {
                    for_each_column(stop, target, |i, column| {
                        let (neighbours, weights) = small.neighbours(i);
                        for (&k, &weight) in neighbours.iter().zip(weights) {
                            add_scattered(c * weight, columns_of_large.neighbours(p.apply(k)), column);
                        }
                    });
                };
                add(twice, &self.small, &self.large_transposed);
                if !self.symmetric {
                    add(c, &self.small_transposed, &self.large);
                }
            }
        }
    }

    /// Σ S\[i,k\]·L\[p(i),p(k)\].
    pub fn inner_product_at(&self, p: &Injection) -> f64 {
        self.small.arcs().map(|(i, k, weight)| weight * self.weight(p.apply(i), p.apply(k))).sum()
    }

    /// `costs[j] += c·`what of the inner product sees vertex i at place j.
    pub fn add_costs(&self, c: f64, p: &Injection, i: usize, costs: &mut [f64]) {
        let mut add = |c: f64, small: &Graph, columns_of_large: &Graph| {
            let (neighbours, weights) = small.neighbours(i);
            for (&k, &weight) in neighbours.iter().zip(weights).filter(|&(&k, _)| k != i) {
                add_scattered(c * weight, columns_of_large.neighbours(p.apply(k)), costs);
            }
        };
        add(if self.symmetric { 2.0 * c } else { c }, &self.small, &self.large_transposed);
        if !self.symmetric {
            add(c, &self.small_transposed, &self.large);
        }
        let own = self.small.weight(i, i);
        if own != 0.0 {
            costs.iter_mut().enumerate().for_each(|(j, cost)| *cost += c * own * self.weight(j, j));
        }
    }

    /// The change of the inner product when i goes to j, and the vertex there to i's place. O(degree).
    pub fn change(&self, p: &Injection, i: usize, j: usize) -> f64 {
        let (from, other) = (p.apply(i), p.holder(j));
        // Arcs to the vertices that stay.
        let moved = |small: &Graph, vertex: usize, change: &dyn Fn(usize) -> f64| -> f64 {
            let (neighbours, weights) = small.neighbours(vertex);
            let staying = neighbours.iter().zip(weights).filter(|&(&k, _)| k != i && Some(k) != other);
            staying.map(|(&k, &weight)| weight * change(p.apply(k))).sum()
        };
        let both = |vertex: usize, sign: f64| {
            let out = moved(&self.small, vertex, &|l| sign * (self.weight(j, l) - self.weight(from, l)));
            if self.symmetric {
                return 2.0 * out;
            }
            out + moved(&self.small_transposed, vertex, &|l| sign * (self.weight(l, j) - self.weight(l, from)))
        };
        let loops = |vertex: usize| self.small.weight(vertex, vertex);
        let loop_change = self.weight(j, j) - self.weight(from, from);
        let Some(k) = other else { return both(i, 1.0) + loops(i) * loop_change };
        let between = self.small.weight(i, k) - self.small.weight(k, i);
        let between = if between == 0.0 { 0.0 } else { between * (self.weight(j, from) - self.weight(from, j)) };
        both(i, 1.0) + both(k, -1.0) + (loops(i) - loops(k)) * loop_change + between
    }

    /// Whether arcs are all that counts, and each is worth the same: then keeping all of them is best.
    pub fn is_about_arcs(&self, sign: f64) -> bool {
        let mut arcs = self.large.arcs().map(|(_, _, weight)| weight);
        let Some(value) = arcs.next() else { return self.small.arc_count() == 0 };
        arcs.all(|weight| weight == value) && self.small.arcs().all(|(_, _, weight)| sign * weight * value < 0.0)
    }
}

/// `target[j] += c·weight` for each of a row's entries.
#[inline]
fn add_scattered(c: f64, (places, weights): (&[usize], &[f64]), target: &mut [f64]) {
    places.iter().zip(weights).for_each(|(&j, &weight)| target[j] += c * weight);
}
