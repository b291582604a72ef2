//! The quadratic assignment problem on injections.

use super::common_subgraph;
use super::injective::{Embedding, EmbeddingSearch, Injective};
use super::linear_term::LinearTerm;
use super::product::InjectiveLayer;
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
    pub linear: Option<LinearTerm>,
    pub sign: f64,
    pub constant: f64,
    /// Whether the smaller graphs are the Bs.
    pub turned: bool,
    pub stop: Stop,
}

/// Arcs are few up to this geometric mean of the graphs' mean degrees: then an arc in common is a large part of what a
/// vertex can gain.
const SPARSE_DEGREE: f64 = 20.0;

impl InjectiveQuadratic {
    fn linear_at(&self, i: usize, j: usize) -> f64 {
        self.linear.as_ref().map_or(0.0, |c| c.at((j, i)))
    }
}

impl Injective for InjectiveQuadratic {
    fn shape(&self) -> (usize, usize) {
        (self.layers[0].large.vertex_count(), self.layers[0].small.vertex_count())
    }

    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        match &self.linear {
            Some(c) => c.copy_to(gradient),
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
            c.add_to(t, gradient);
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
            Some(c) => c.copy_column_to(i, costs),
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
