//! The search without matrices: when it is made, and when its answer is enough.

use super::Recovery;
use super::attempt::{Attempt, AttemptKind};
use super::doubt::DOUBTFUL;
use super::run::{Run, Search};
use super::settings::{Effort, Engine, Method, Settings};
use super::soft::Soft;
use crate::certificate::{Optimality, certify_partial};
use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::objective::Objective;
use crate::penalty::Penalty;
use crate::permutation::Permutation;
use crate::solver::{Iterate, Limits};
use crate::sparse::{Layers, search};
use crate::sparse_matrix::SparseMatrix;
use argmin::core::TerminationReason;
use std::time::Instant;

/// Graphs of fewer vertices are searched by a path soon enough.
const FEWEST: usize = 1000;

/// Sparse: so many arcs for each vertex at most. Above, a step of the sparse search costs no less than one of a path.
const MOST_ARCS: usize = 64;

/// Graphs of more vertices are never searched with matrices unless that is asked for: at 5000 a path takes a minute and
/// 1.4 GiB, both about as n².
const MOST_DENSE: usize = 5000;

/// Whether graphs of so many vertices, and so many arcs in all layers of the larger side, are searched without any
/// matrix of n × n, as [`Engine`] says.
///
/// `has_linear_term`: whether the objective has one, which the sparse search does not know.
pub fn needs_no_matrix(settings: &Settings, vertices: usize, arcs: usize, has_linear_term: bool) -> bool {
    match settings.engine {
        Engine::Sparse => true,
        Engine::Dense => false,
        Engine::Auto => {
            !has_linear_term && vertices > MOST_DENSE && is_suited(settings) && arcs <= MOST_ARCS * vertices
        }
    }
}

/// Whether the settings ask for nothing that only a path has.
fn is_suited(settings: &Settings) -> bool {
    let Settings { method, penalty, descents, polish, restarts, start, .. } = settings;
    *method == Method::Penalized
        && *penalty != Penalty::Entropy
        && *descents
        && *polish
        && *restarts == 0
        && start.is_none()
}

/// What the sparse search found.
pub(super) struct Scouted {
    pub run: Run,
    pub attempt: Attempt,
    pub x: SparseMatrix,
}

impl Search<'_> {
    /// The graphs, where they are searched without matrices first.
    ///
    /// # Errors
    /// [`Error::Argument`] where that is asked for and cannot be.
    pub fn sparse_layers(&self) -> Result<Option<Vec<(Graph, Graph)>>> {
        let engine = self.settings.engine;
        if engine == Engine::Dense {
            return Ok(None);
        }
        let layers = if is_suited(self.settings) { self.objective.sparse_form() } else { None };
        if engine == Engine::Sparse {
            let cause = "is sparse, which is for graph matching without a linear term, by the penalized path with \
                         descents and polishing, without restarts and a start of one's own";
            return layers.map(Some).ok_or_else(|| Error::argument("engine", cause));
        }
        let n = self.objective.size();
        let is_sparse = |layers: &Vec<(Graph, Graph)>| {
            layers.iter().map(|(a, b)| a.arc_count().max(b.arc_count())).sum::<usize>() <= MOST_ARCS * n
        };
        let fits = |layers: &Vec<(Graph, Graph)>| {
            let (n_a, n_b) = sizes(layers);
            self.settings.anchors.iter().all(|&(i, j)| i < n_a && j < n_b)
        };
        Ok(layers.filter(|layers| n >= FEWEST && is_sparse(layers) && fits(layers)))
    }

    /// The answer of the [sparse search](crate::sparse) on these layers.
    pub fn scout(&self, layers: Vec<(Graph, Graph)>, limits: &Limits) -> Result<Scouted> {
        let began = Instant::now();
        let layers = Layers::new(layers, &self.settings.anchors)?;
        let answer = search(&layers, self.settings.penalty, self.settings.rng_seed, limits)?;
        let permutation = padded(&answer.partners, self.objective.size())?;
        let value = self.objective.value_at(&permutation);
        let last = Iterate::at(nalgebra::DMatrix::zeros(0, 0)).counting(answer.steps, answer.steps);
        let run = Run { last, permutation, value, swaps: 0, agreed: false };
        let attempt = Attempt::of(&run, AttemptKind::Sparse, began);
        Ok(Scouted { run, attempt, x: answer.x })
    }

    /// Whether nothing else is searched: as the engine says; where matrices would be too large; and where the answer
    /// is not [doubtful](DOUBTFUL), or the least effort was asked for.
    pub fn suffices(&self, scouted: &Scouted) -> bool {
        let Settings { engine, effort, .. } = self.settings;
        let is_doubtful = || self.excess(scouted.run.value, self.objective.ideal_value()) > DOUBTFUL;
        *engine == Engine::Sparse
            || self.objective.size() > MOST_DENSE
            || match effort {
                Effort::Quick => true,
                Effort::Default => !is_doubtful(),
                Effort::Thorough => false,
            }
    }
}

impl Scouted {
    /// The whole recovery; `graced` is the objective that gives up somewhat later than the limits.
    pub fn recovery(self, graced: &dyn Objective, limits: &Limits, began: Instant) -> Result<Recovery> {
        let Scouted { run, attempt, x } = self;
        Ok(Recovery {
            optimality: Optimality::of(graced, &run.permutation, run.value, f64::NEG_INFINITY),
            certificate: certify_partial(&x)?,
            permutation: run.permutation,
            x: Soft::Sparse(x),
            iterations: attempt.iterations,
            lap_calls: attempt.lap_calls,
            swaps: 0,
            attempts: vec![attempt],
            winner: 0,
            termination: limits.reached().unwrap_or(TerminationReason::SolverConverged),
            elapsed: began.elapsed(),
        })
    }
}

fn sizes(layers: &[(Graph, Graph)]) -> (usize, usize) {
    layers.first().map_or((0, 0), |(a, b)| (a.vertex_count(), b.vertex_count()))
}

/// The permutation of n that matches each vertex with its partner, and the others as they come.
fn padded(partners: &[Option<usize>], n: usize) -> Result<Permutation> {
    let mut is_free = vec![true; n];
    partners.iter().flatten().for_each(|&j| is_free[j] = false);
    let mut free = (0..n).filter(|&j| is_free[j]);
    let all = partners.iter().copied().chain(std::iter::repeat(None)).take(n);
    Permutation::new(all.filter_map(|partner| partner.or_else(|| free.next())).collect())
}
