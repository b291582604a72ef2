//! Frank–Wolfe over sparse substochastic matrices, with column generation.

use super::convex::Convex;
use super::indefinite::Indefinite;
use super::layers::Layers;
use super::matching::assign;
use crate::assignment::NONE;
use crate::error::Result;
use crate::penalty::Penalty;
use crate::solver::{Limits, execute};
use crate::sparse_matrix::SparseMatrix;
use argmin::core::{IterState, KV, Problem, Solver, State, TerminationReason};
use std::sync::Arc;

/// Smaller entries of X are dropped.
const LEAST_ENTRY: f64 = 1e-3;

/// A stage ends when a step gains less than this share of the weight of both graphs; where vertices have many arcs,
/// less than the second: there the right partners of many vertices together weigh little.
const LEAST_GAIN: (f64, f64) = (1e-5, 1e-7);

/// A stretch of a path, on one function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stage {
    pub form: Form,
    pub most_steps: usize,
}

/// The function that is maximized, or whose negative is minimized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// [`Indefinite`] with its c.
    Indefinite(f64),
    /// [`Convex`] with its penalty and λ.
    Convex(Penalty, f64),
}

pub(super) const fn indefinite(c: f64, most_steps: usize) -> Stage {
    Stage { form: Form::Indefinite(c), most_steps }
}

/// A step: H, half the gradient, on the support of X and the 16 largest entries beside it in each row; Q the matching
/// of largest ⟨H, Q⟩, rows without a partner allowed; X ← (1 − t)X + tQ with the t that is best for the function, its
/// penalty taken as linear.
struct SparseFrankWolfe<'a> {
    stages: &'a [Stage],
    limits: Limits,
    stage: usize,
    steps: usize,
    /// The last Q.
    partners: Vec<u32>,
}

type Walk = IterState<Arc<SparseMatrix>, (), (), (), (), f64>;

impl SparseFrankWolfe<'_> {
    fn next_stage(&mut self, state: Walk) -> Walk {
        (self.stage, self.steps) = (self.stage + 1, 0);
        if self.stage < self.stages.len() { state } else { state.terminate_with(TerminationReason::SolverConverged) }
    }

    /// Q, and the share t of it that X takes with what that gains; `None` where a limit came first.
    fn step(&self, layers: &Layers, x: &SparseMatrix) -> Option<(Vec<u32>, f64, f64)> {
        let stop = &self.limits.stop;
        let (partners, slope, curvature) = match self.stages[self.stage].form {
            Form::Indefinite(c) => {
                let form = Indefinite { layers, c };
                let ascent = form.ascent(x, stop);
                let (partners, at_q) = assign(layers, &ascent.values, stop);
                let curvature = form.curvature(x, &partners, ascent.at_x, at_q);
                (partners, at_q - ascent.at_x, curvature)
            }
            Form::Convex(penalty, lambda) => {
                let form = Convex { layers, penalty, lambda };
                let (ascent, residuals) = form.ascent(x, stop);
                let (partners, at_q) = assign(layers, &ascent.values, stop);
                let curvature = form.curvature(x, &residuals, &partners);
                (partners, at_q - ascent.at_x, curvature)
            }
        };
        let t = if slope <= 0.0 {
            0.0
        } else if curvature < 0.0 {
            (slope / -curvature).min(1.0)
        } else {
            1.0
        };
        (!stop.is_reached()).then_some((partners, t, t * (2.0 * slope + t * curvature)))
    }
}

impl<'a> Solver<&'a Layers, Walk> for SparseFrankWolfe<'_> {
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
        let Some((partners, t, gain)) = self.step(layers, &x) else { return Ok((state.param(x), None)) };
        let name = match self.stages[self.stage].form {
            Form::Indefinite(_) => "path",
            Form::Convex(..) => "penalized path",
        };
        self.limits.report(name, || layers.share(&partners));
        self.partners = partners;
        self.steps += 1;
        let next = if t > 0.0 { Arc::new(blend(&x, t, &self.partners)) } else { x };
        // The cost tells argmin which X is best: the last one.
        let cost = -(state.get_iter() as f64);
        let state = state.param(next).cost(cost);
        let most = layers.weights.0.iter().chain(&layers.weights.1).sum::<f64>();
        let least_gain = if layers.has_many_arcs() { LEAST_GAIN.1 } else { LEAST_GAIN.0 };
        let has_ended = gain <= least_gain * 0.5 * most || self.steps >= self.stages[self.stage].most_steps;
        Ok((if has_ended { self.next_stage(state) } else { state }, None))
    }
}

/// (1 − t)X + tQ without the entries that have become too small.
pub(super) fn blend(x: &SparseMatrix, t: f64, partners: &[u32]) -> SparseMatrix {
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
pub(super) fn follow(
    layers: &Layers,
    stages: &[Stage],
    start: SparseMatrix,
    limits: &Limits,
) -> Result<(SparseMatrix, Vec<u32>, u64)> {
    let limits = Limits { stop: limits.to_stop(), ..limits.clone() };
    let solver =
        SparseFrankWolfe { stages, limits: limits.clone(), stage: 0, steps: 0, partners: layers.anchors.clone() };
    let state = Walk::new().param(Arc::new(start));
    let (solver, mut state) = execute(layers, solver, state, &limits, |executor| executor)?;
    let x = state.take_param().expect("set by every step");
    let steps = state.get_iter();
    drop(state);
    Ok((Arc::unwrap_or_clone(x), solver.partners, steps))
}
