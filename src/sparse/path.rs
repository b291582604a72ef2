//! Frank–Wolfe on f over sparse substochastic matrices, with column generation.

use super::layers::Layers;
use crate::assignment::{NONE, auction};
use crate::error::Result;
use crate::solver::{Limits, execute};
use crate::sparse_matrix::SparseMatrix;
use argmin::core::{IterState, KV, Problem, Solver, State, TerminationReason};
use std::sync::Arc;

/// Votes without an entry in X that compete in each row.
const NEW_COLUMNS: usize = 16;

/// ε of the auction, in units of a common arc.
const AUCTION_STEP: f64 = 0.05;

/// Smaller entries of X are dropped.
const LEAST_ENTRY: f64 = 1e-3;

/// (c, most steps): first f itself, then f with a term that hardens X.
const STAGES: [(f64, usize); 3] = [(0.0, 40), (-0.1, 8), (-0.5, 8)];

/// A stage ends when a step gains less than this share of f.
const LEAST_GAIN: f64 = 1e-5;

/// Frank–Wolfe on h(X) = f(X) − c·Σ w_ij X_ij², w_ij = (w_i + w_j)/2 the [weights](Layers) of the vertices, for one c
/// after another.
///
/// A step: H = V(X) − c·w∘X, half the gradient, on the support of X and the 16 largest votes beside it in each row; Q
/// the matching of largest ⟨H, Q⟩, rows without a partner allowed; X ← (1 − t)X + tQ with the best t, h being a
/// parabola along it: h(X + t(Q − X)) = (1 − t)²h(X) + 2t(1 − t)⟨H, Q⟩ + t²h(Q).
struct SparseFrankWolfe {
    limits: Limits,
    stage: usize,
    steps: usize,
    /// The last Q.
    partners: Vec<u32>,
}

type Walk = IterState<Arc<SparseMatrix>, (), (), (), (), f64>;

impl SparseFrankWolfe {
    fn next_stage(&mut self, state: Walk) -> Walk {
        (self.stage, self.steps) = (self.stage + 1, 0);
        if self.stage < STAGES.len() { state } else { state.terminate_with(TerminationReason::SolverConverged) }
    }
}

impl<'a> Solver<&'a Layers, Walk> for SparseFrankWolfe {
    fn name(&self) -> &str {
        "sparse Frank-Wolfe"
    }

    fn next_iter(
        &mut self,
        problem: &mut Problem<&'a Layers>,
        mut state: Walk,
    ) -> std::result::Result<(Walk, Option<KV>), argmin::core::Error> {
        let layers = *problem.problem.as_ref().expect("argmin holds the problem");
        let x = state.take_param().expect("a start was given");
        let (c, most_steps) = STAGES[self.stage];
        let weight = |i: usize, j: usize| 0.5 * (layers.weights.0[i] + layers.weights.1[j]);
        let half_gradient =
            layers.votes(&x, NEW_COLUMNS, &self.limits.stop, |i, j, entry, votes| votes - c * weight(i, j) * entry);
        let at_x = |i: usize| x.entries(i).zip(half_gradient.entries(i)).map(|((_, x), (_, h))| x * h).sum::<f64>();
        let value: f64 = (0..x.shape().0).map(at_x).sum();
        let mut found = auction(&half_gradient, AUCTION_STEP * layers.unit, &self.limits.stop);
        if self.limits.reached().is_some() {
            return Ok((state.param(x), None));
        }
        for (i, &anchor) in layers.anchors.iter().enumerate().filter(|&(_, &anchor)| anchor != NONE) {
            if found.columns[i] == NONE {
                found.columns[i] = anchor;
                found.value += half_gradient.entries(i).map(|(_, value)| value).sum::<f64>();
            }
        }
        let diagonal = |(i, &j): (usize, &u32)| if j == NONE { 0.0 } else { weight(i, j as usize) };
        let at_q = layers.value(&found.columns) - c * found.columns.iter().enumerate().map(diagonal).sum::<f64>();
        let (slope, curvature) = (found.value - value, at_q - 2.0 * found.value + value);
        let t = if slope <= 0.0 {
            0.0
        } else if curvature < 0.0 {
            (slope / -curvature).min(1.0)
        } else {
            1.0
        };
        let gain = t * (2.0 * slope + t * curvature);
        self.partners = found.columns;
        self.steps += 1;
        let next = if t > 0.0 { Arc::new(blend(&x, t, &self.partners)) } else { x };
        let state = state.param(next).cost(-value - gain);
        let has_ended = gain <= LEAST_GAIN * value.abs() || self.steps >= most_steps;
        Ok((if has_ended { self.next_stage(state) } else { state }, None))
    }
}

/// (1 − t)X + tQ without the entries that have become too small.
fn blend(x: &SparseMatrix, t: f64, partners: &[u32]) -> SparseMatrix {
    SparseMatrix::from_rows(
        x.shape(),
        || (),
        |(), i, row| {
            let partner = partners[i];
            let mut of_partner = t;
            for (j, entry) in x.entries(i) {
                let left = (1.0 - t) * entry;
                if j as u32 == partner {
                    of_partner += left;
                } else if left >= LEAST_ENTRY {
                    row.push(j, left);
                }
            }
            if partner != NONE {
                row.push(partner as usize, of_partner);
            }
        },
    )
}

/// The last X and its matching (a partner for each vertex of A, or [`NONE`]) of the path from `start`, which an
/// anchored vertex enters with its anchor alone; and the number of steps.
pub(super) fn follow(layers: &Layers, start: SparseMatrix, limits: &Limits) -> Result<(SparseMatrix, Vec<u32>, u64)> {
    let limits = Limits { stop: limits.to_stop(), ..limits.clone() };
    let solver = SparseFrankWolfe { limits: limits.clone(), stage: 0, steps: 0, partners: layers.anchors.clone() };
    let state = Walk::new().param(Arc::new(start));
    let (solver, mut state) = execute(layers, solver, state, &limits, |executor| executor)?;
    let x = state.take_param().expect("set by every step");
    let steps = state.get_iter();
    drop(state);
    Ok((Arc::unwrap_or_clone(x), solver.partners, steps))
}
