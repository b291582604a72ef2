//! The search without matrices: when it is made, and when its answer is enough.

use super::Recovery;
use super::attempt::{Attempt, AttemptKind};
use super::doubt::DOUBTFUL;
use super::run::{Run, Search};
use super::settings::{Effort, Engine, Method, Settings};
use super::soft::Soft;
use super::unequal::has_small_injections;
use crate::certificate::{Optimality, certify_partial};
use crate::error::{Error, Result};
use crate::held_out::{Evidence, HeldOut};
use crate::objective::Objective;
use crate::penalty::Penalty;
use crate::permutation::Permutation;
use crate::solver::{Iterate, Limits};
use crate::sparse::{Layers, Options, search};
use crate::sparse_form::{Affinity, SparseForm};
use crate::sparse_matrix::SparseMatrix;
use argmin::core::TerminationReason;
use std::time::Instant;

/// Graphs of fewer vertices are searched by a path soon enough.
const FEWEST: usize = 200;

/// Sparse: this share of all arcs that there could be at most; and so many for each vertex, where matrices are an
/// alternative. Above, a step of the sparse search costs no less than one of a path.
const MOST_ARCS: usize = 64;
const MOST_DENSITY: f64 = 1.0 / 8.0;

/// Graphs of more vertices are never searched with matrices unless that is asked for: at 5000 a path takes minutes and
/// 1.2 GB, both about as n².
const MOST_DENSE: usize = 5000;

/// By default answers are tested by this share of B's edges, from so many vertices on: on smaller graphs it is a few
/// edges only, which the search would miss.
const HELD_OUT: (f64, usize) = (0.02, 2000);

/// What decides whether graphs are searched without matrices of n × n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphSizes {
    /// Vertices of A and of B.
    pub vertices: (usize, usize),
    /// The arcs of the first layer, those of the graph that has more, times the number of layers.
    pub arcs: usize,
    /// The entries of a similarity.
    pub similarities: usize,
    /// What two arcs have in common.
    pub affinity: Affinity,
}

impl GraphSizes {
    /// `None` where there is no layer.
    fn of(SparseForm { layers, similarity, affinity }: &SparseForm) -> Option<Self> {
        let (a, b) = layers.first()?;
        let arcs = a.arc_count().max(b.arc_count()) * layers.len();
        let similarities = similarity.as_ref().map_or(0, SparseMatrix::entry_count);
        Some(GraphSizes { vertices: (a.vertex_count(), b.vertex_count()), arcs, similarities, affinity: *affinity })
    }

    fn larger(self) -> usize {
        self.vertices.0.max(self.vertices.1)
    }

    /// Whether they are searched without matrices first. A product's step with matrices of n × n takes a few products
    /// of these; that of an [overlap](Affinity::Minimum) visits all arcs for each vertex, and is always dearer.
    fn are_sparse_and_large(self) -> bool {
        if self.affinity == Affinity::Minimum {
            return self.larger() >= FEWEST;
        }
        let (n, most) = (self.larger(), self.arcs.max(self.similarities));
        let densest = MOST_DENSITY * (n as f64).powi(2);
        n >= FEWEST && (most <= MOST_ARCS * n || n > MOST_DENSE) && most as f64 <= densest
    }

    /// Whether graph matching without a dense linear term makes no matrix of these sizes, as [`Engine`] says: neither
    /// of n × n, nor on injections, as where one graph is much smaller.
    pub fn need_no_matrix(self, settings: &Settings) -> bool {
        let is_auto =
            || is_suited(settings) && self.are_sparse_and_large() && !may_go_on(settings, self.larger(), self.affinity);
        match settings.engine {
            Engine::Sparse => true,
            Engine::Dense => false,
            Engine::Auto => is_auto() && !has_small_injections(self.vertices),
        }
    }
}

/// Whether a search with matrices of n × n may follow. At default effort none does for an overlap: it took 40 s at n =
/// 250 for 1 to 2 % more, and from n = 1500 on, in minutes, found less.
fn may_go_on(settings: &Settings, n: usize, affinity: Affinity) -> bool {
    n <= MOST_DENSE
        && match settings.effort {
            Effort::Quick => false,
            Effort::Default => affinity == Affinity::Product,
            Effort::Thorough => true,
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
    pub held_out: Option<HeldOut>,
    affinity: Affinity,
}

impl Search<'_> {
    /// The graphs, where they are searched without matrices first.
    ///
    /// # Errors
    /// [`Error::Argument`] where that is asked for and cannot be.
    pub fn sparse_form(&self) -> Result<Option<SparseForm>> {
        let settings = self.settings;
        let engine = settings.engine;
        if engine == Engine::Dense {
            return Ok(None);
        }
        let form = if is_suited(settings) { self.objective.sparse_form() } else { None };
        if engine == Engine::Sparse {
            let cause = "is sparse, which is for graph matching with at most 64 similarities a vertex, by the \
                         penalized path with descents and polishing, without restarts and a start of one's own";
            return form.map(Some).ok_or_else(|| Error::argument("engine", cause));
        }
        Ok(form.filter(|form| {
            GraphSizes::of(form).is_some_and(|sizes| {
                let (n_a, n_b) = sizes.vertices;
                let fits = |&(i, j): &(usize, usize)| i < n_a && j < n_b;
                sizes.are_sparse_and_large() && settings.anchors.iter().chain(&settings.start_match).all(fits)
            })
        }))
    }

    /// The answer of the [sparse search](crate::sparse) on these graphs.
    pub fn scout(&self, SparseForm { layers, affinity, similarity }: SparseForm, limits: &Limits) -> Result<Scouted> {
        let began = Instant::now();
        let layers = Layers::with_affinity(affinity, layers, &self.settings.anchors)?;
        let layers = match similarity {
            Some(similarity) => layers.with_similarity(&similarity)?,
            None => layers,
        };
        let Settings { penalty, rng_seed, hold_out, effort, .. } = *self.settings;
        let (share, fewest) = HELD_OUT;
        let share = hold_out.unwrap_or(if self.objective.size() >= fewest { share } else { 0.0 });
        let options = Options::default()
            .with_penalty(penalty)
            .with_rng_seed(rng_seed)
            .with_hold_out(share)
            .with_repeats(effort != Effort::Quick);
        let options = match self.settings.start_match.is_empty() {
            true => options,
            false => options.with_start_match(self.given_partners()?),
        };
        let answer = search(&layers, &options, limits)?;
        let permutation = Permutation::completed(&answer.partners, self.objective.size())?;
        let value = self.objective.value_at(&permutation);
        let last = Iterate::at(nalgebra::DMatrix::zeros(0, 0)).counting(answer.steps, answer.steps);
        let run = Run { last, permutation, value, swaps: 0, agreed: false };
        let attempt = Attempt::of(&run, AttemptKind::Sparse, began);
        Ok(Scouted { run, attempt, x: answer.x, held_out: answer.held_out, affinity })
    }

    /// Whether nothing else is searched: as the engine says; where no search with matrices [may follow](may_go_on); and
    /// at default effort where the answer is not doubtful (by the [held-out test](crate::held_out), or where there is
    /// none by its [value](DOUBTFUL)).
    pub fn suffices(&self, scouted: &Scouted) -> bool {
        let Settings { engine, effort, .. } = self.settings;
        let is_doubtful = || match scouted.held_out {
            Some(held_out) => held_out.evidence() != Evidence::FarAboveChance,
            None => self.excess(scouted.run.value, self.objective.ideal_value()) > DOUBTFUL,
        };
        *engine == Engine::Sparse
            || !may_go_on(self.settings, self.objective.size(), scouted.affinity)
            || *effort == Effort::Default && !is_doubtful()
    }
}

impl Scouted {
    /// The whole recovery; `graced` is the objective that gives up somewhat later than the limits.
    pub fn recovery(self, graced: &dyn Objective, limits: &Limits, began: Instant) -> Result<Recovery> {
        let Scouted { run, attempt, x, held_out, .. } = self;
        Ok(Recovery {
            optimality: Optimality::of(graced, &run.permutation, run.value, f64::NEG_INFINITY),
            certificate: certify_partial(&x)?,
            permutation: run.permutation,
            x: Soft::Sparse(x),
            held_out,
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
