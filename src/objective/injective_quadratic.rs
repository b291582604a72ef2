//! The quadratic assignment problem on injections.

use super::bits::BitMatrix;
use super::common_subgraph;
use super::exchange::{add_times_graph, graph_times};
use super::injective::{Embedding, EmbeddingSearch, Injective};
use crate::columns::{for_each_column, multiply};
use crate::graph::Graph;
use crate::injection::Injection;
use crate::permutation::Permutation;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// f(p) = s·Σ_ℓ Σ_ik S_ℓ\[i,k\]·L_ℓ\[p(i),p(k)\] + Σ_i C\[p(i),i\] + c, S_ℓ the smaller graphs (m vertices), L_ℓ the
/// larger ones (N places), C of size N × m.
///
/// f(X) = s·Σ_ℓ tr(XᵀL_ℓXS_ℓᵀ) + ⟨C, X⟩ + c, ∇f = s·Σ_ℓ (L_ℓXS_ℓᵀ + L_ℓᵀXS_ℓ) + C. At an injection a product costs Σ
/// over arcs (i, k) of S of the degree of p(k) in L.
#[derive(Debug, Clone)]
pub(super) struct InjectiveQuadratic {
    pub layers: Vec<InjectiveLayer>,
    /// C, N × m.
    pub linear: Option<DMatrix<f64>>,
    pub sign: f64,
    pub constant: f64,
    /// Whether the smaller graphs are the Bs.
    pub turned: bool,
    pub stop: Stop,
}

/// A pair of graphs, the smaller one first.
#[derive(Debug, Clone)]
pub(super) struct InjectiveLayer {
    pub small: Graph,
    pub large: Graph,
    pub small_transposed: Graph,
    pub large_transposed: Graph,
    pub symmetric: bool,
    dense: Option<Dense>,
}

#[derive(Debug, Clone)]
enum Dense {
    /// L and Lᵀ, of unweighted graphs.
    Bits(BitMatrix, BitMatrix),
    /// S and L.
    Weights(DMatrix<f64>, DMatrix<f64>),
}

/// A multiply-add of a scattered sparse product costs about as much as this many of a blocked dense one.
const SPARSE_PENALTY: f64 = 16.0;

/// Arcs are few up to this geometric mean of the graphs' mean degrees: then an arc in common is a large part of what a
/// vertex can gain.
const SPARSE_DEGREE: f64 = 20.0;

impl InjectiveLayer {
    pub fn new(small: Graph, large: Graph) -> Self {
        let (m, n) = (small.vertex_count() as f64, large.vertex_count() as f64);
        let (small_transposed, large_transposed) = (small.transpose(), large.transpose());
        let sparse_cost = small.arc_count() as f64 * large.arc_count() as f64 / n;
        let dense = (sparse_cost * SPARSE_PENALTY > n * m * m).then(|| {
            let is_unweighted = |graph: &Graph| graph.arcs().all(|(_, _, weight)| weight == 1.0);
            match (BitMatrix::of(&large), BitMatrix::of(&large_transposed)) {
                (Some(bits), Some(transposed)) if is_unweighted(&small) => Dense::Bits(bits, transposed),
                _ => Dense::Weights(small.to_matrix(), large.to_matrix()),
            }
        });
        let symmetric = small.is_symmetric() && large.is_symmetric();
        InjectiveLayer { small, large, small_transposed, large_transposed, symmetric, dense }
    }

    /// L\[j, l\].
    #[inline]
    fn weight(&self, j: usize, l: usize) -> f64 {
        match &self.dense {
            Some(Dense::Bits(bits, _)) => f64::from(u8::from(bits.contains(j, l))),
            Some(Dense::Weights(_, large)) => large[(j, l)],
            None => self.large.weight(j, l),
        }
    }

    /// `target += c·(LXSᵀ + LᵀXS)`.
    fn add_product(&self, stop: &Stop, c: f64, x: &DMatrix<f64>, target: &mut DMatrix<f64>) {
        if self.symmetric {
            return add_times_graph(stop, 2.0 * c, &graph_times(stop, &self.large, x), &self.small, target);
        }
        add_times_graph(stop, c, &graph_times(stop, &self.large, x), &self.small, target);
        add_times_graph(stop, c, &graph_times(stop, &self.large_transposed, x), &self.small_transposed, target);
    }

    /// `target ← beta·target + c·(LPSᵀ + LᵀPS)`.
    fn blend_product_at(&self, stop: &Stop, c: f64, p: &Injection, beta: f64, target: &mut DMatrix<f64>) {
        let twice = if self.symmetric { 2.0 * c } else { c };
        match &self.dense {
            Some(Dense::Bits(large, transposed)) => {
                large.blend_times(stop, twice, &self.small, p.image(), beta, target);
                if !self.symmetric {
                    transposed.blend_times(stop, c, &self.small_transposed, p.image(), 1.0, target);
                }
            }
            Some(Dense::Weights(small, large)) => {
                let at = |j: usize, k: usize| large[(j, p.apply(k))];
                let turned = |j: usize, k: usize| large[(p.apply(k), j)];
                let moved = DMatrix::from_fn(p.places(), p.vertices(), at);
                multiply(stop, target, twice, &moved, &small.transpose(), beta);
                if !self.symmetric {
                    multiply(stop, target, c, &DMatrix::from_fn(p.places(), p.vertices(), turned), small, 1.0);
                }
            }
            None => {
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
    fn inner_product_at(&self, p: &Injection) -> f64 {
        self.small.arcs().map(|(i, k, weight)| weight * self.weight(p.apply(i), p.apply(k))).sum()
    }

    /// `costs[j] += c·`what of the inner product sees vertex i at place j.
    fn add_costs(&self, c: f64, p: &Injection, i: usize, costs: &mut [f64]) {
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
    fn change(&self, p: &Injection, i: usize, j: usize) -> f64 {
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
    fn is_about_arcs(&self, sign: f64) -> bool {
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

impl InjectiveQuadratic {
    fn linear_at(&self, i: usize, j: usize) -> f64 {
        self.linear.as_ref().map_or(0.0, |c| c[(j, i)])
    }
}

impl Injective for InjectiveQuadratic {
    fn shape(&self) -> (usize, usize) {
        (self.layers[0].large.vertex_count(), self.layers[0].small.vertex_count())
    }

    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        match &self.linear {
            Some(c) => gradient.copy_from(c),
            None => gradient.fill(0.0),
        }
        self.layers.iter().for_each(|layer| layer.add_product(&self.stop, self.sign, x, gradient));
        0.5 * (gradient.dot(x) + self.linear.as_ref().map_or(0.0, |c| c.dot(x))) + self.constant
    }

    fn blend(&self, p: &Injection, t: f64, gradient: &mut DMatrix<f64>) {
        let mut beta = 1.0 - t;
        for layer in &self.layers {
            layer.blend_product_at(&self.stop, self.sign * t, p, beta, gradient);
            beta = 1.0;
        }
        if let Some(c) = &self.linear {
            gradient.zip_apply(c, |g, c| *g += t * c);
        }
    }

    fn value_at(&self, p: &Injection) -> f64 {
        let quadratic: f64 = self.layers.iter().map(|layer| layer.inner_product_at(p)).sum();
        let linear: f64 = (0..p.vertices()).map(|i| self.linear_at(i, p.apply(i))).sum();
        self.sign * quadratic + linear + self.constant
    }

    fn change(&self, p: &Injection, i: usize, j: usize) -> f64 {
        if p.apply(i) == j {
            return 0.0;
        }
        let quadratic: f64 = self.layers.iter().map(|layer| layer.change(p, i, j)).sum();
        let moved = |i: usize, from: usize, to: usize| self.linear_at(i, to) - self.linear_at(i, from);
        let from = p.apply(i);
        self.sign * quadratic + moved(i, from, j) + p.holder(j).map_or(0.0, |k| moved(k, j, from))
    }

    fn costs(&self, p: &Injection, i: usize, costs: &mut Vec<f64>) {
        costs.clear();
        match &self.linear {
            Some(c) => costs.extend(c.column(i).iter()),
            None => costs.resize(p.places(), 0.0),
        }
        self.layers.iter().for_each(|layer| layer.add_costs(self.sign, p, i, costs));
    }

    /// In the first layer.
    fn draw_place(&self, p: &Injection, i: usize, draw: &mut dyn FnMut(usize) -> usize) -> Option<usize> {
        let mut neighbour = |graph: &Graph, vertex| {
            let (targets, _) = graph.neighbours(vertex);
            if targets.is_empty() { None } else { Some(targets[draw(targets.len())]) }
        };
        let beside = neighbour(&self.layers[0].small, i)?;
        neighbour(&self.layers[0].large_transposed, p.apply(beside))
    }

    fn scale(&self) -> f64 {
        let (places, vertices) = self.shape();
        let root = ((places * vertices) as f64).sqrt();
        let norms = |layer: &InjectiveLayer| layer.small.squared_norm().sqrt() * layer.large.squared_norm().sqrt();
        let kappa = self.sign.abs() * self.layers.iter().map(norms).sum::<f64>() / root;
        let fallback = self.linear.as_ref().map_or(0.0, |c| c.norm() / root);
        [kappa, fallback].into_iter().find(|&kappa| kappa > 0.0).unwrap_or(1.0)
    }

    fn arc_value(&self) -> Option<f64> {
        let InjectiveLayer { small, large, symmetric, .. } = &self.layers[0];
        let arcs = (small.arc_count() as f64, large.arc_count() as f64);
        let degree = (arcs.0 / small.vertex_count() as f64 * arcs.1 / large.vertex_count() as f64).sqrt();
        if degree == 0.0 || degree > SPARSE_DEGREE {
            return None;
        }
        let mean = |graph: &Graph, arcs: f64| graph.arcs().map(|(_, _, weight)| weight.abs()).sum::<f64>() / arcs;
        let twice = if *symmetric { 2.0 } else { 1.0 };
        Some(twice * self.sign.abs() * mean(small, arcs.0) * mean(large, arcs.1))
    }

    fn embed(&self, search: &EmbeddingSearch) -> Embedding {
        if self.linear.is_some() || !self.layers.iter().all(|layer| layer.is_about_arcs(self.sign)) {
            return Embedding::Unknown(vec![]);
        }
        let value = |graph: &Graph| graph.arcs().next().map_or(0.0, |(_, _, weight)| weight);
        let kept =
            |layer: &InjectiveLayer| value(&layer.large) * layer.small.arcs().map(|(_, _, weight)| weight).sum::<f64>();
        let least = self.sign * self.layers.iter().map(kept).sum::<f64>() + self.constant;
        common_subgraph::search(&self.layers, self.sign, search, least)
    }

    fn permutation(&self, p: &Injection) -> Permutation {
        if self.turned { p.extended().inverse() } else { p.extended() }
    }

    fn injection(&self, p: &Permutation) -> Injection {
        let (places, vertices) = self.shape();
        let p = if self.turned { p.inverse() } else { p.clone() };
        Injection::new(p.image()[..vertices].to_vec(), places).expect("distinct places")
    }

    fn oriented(&self, (a, b): (usize, usize)) -> (usize, usize) {
        if self.turned { (b, a) } else { (a, b) }
    }

    fn places_are_rows(&self) -> bool {
        self.turned
    }
}
