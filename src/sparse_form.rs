//! Objectives that are made of graphs, and what two matched arcs have in common there.

use crate::graph::Graph;
use crate::sparse_matrix::SparseMatrix;
use serde::{Deserialize, Serialize};

/// What an arc of weight w adds to a match whose image weighs w': the affinity of Lawler's quadratic assignment problem
/// (Management Science 9, 1963), of which graph matching is a special case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Affinity {
    /// w·w'. Where every vertex has a partner, what it leaves of both graphs' squared weights is the sum of squared
    /// differences.
    #[default]
    Product,
    /// min(w, w'), for weights ≥ 0: what it leaves of both graphs' weights is the sum of absolute differences.
    Minimum,
}

impl Affinity {
    /// Of two weights.
    #[inline]
    pub fn of(self, weight: f64, other: f64) -> f64 {
        match self {
            Affinity::Product => weight * other,
            // Weights are numbers: one instruction, where f64::min asks for NaN.
            Affinity::Minimum => {
                if weight < other {
                    weight
                } else {
                    other
                }
            }
        }
    }
}

/// An objective as pairs of graphs and a similarity of their vertices: f(P) is a constant less a positive multiple of
/// what they have in common at P, and ⟨S, P⟩.
#[derive(Debug, Clone)]
pub struct SparseForm {
    /// (A_ℓ, B_ℓ), without padding.
    pub layers: Vec<(Graph, Graph)>,
    /// What two arcs have in common.
    pub affinity: Affinity,
    /// S, n_A × n_B, whose entry at (i, j) is what a match of i with j adds; `None` for 0.
    pub similarity: Option<SparseMatrix>,
}
