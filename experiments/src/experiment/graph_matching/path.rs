//! One penalized path by itself, stage by stage: its numbers, and X in the order of the hidden permutation.

use super::config::Experiment;
use super::trials::instance_of;
use birkhoff::certificate::certify;
use birkhoff::error::Result;
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::polytope::round;
use birkhoff::recovery::{Effort, Method, recover_within};
use birkhoff::solver::{Iterate, Limits};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// The end of a stage: a row of `path.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Vertices.
    pub n: usize,
    /// Probability of an edge; none for Gaussian matrices.
    pub p: Option<f64>,
    /// Correlation.
    pub rho: f64,
    /// λ; 0 is the relaxation.
    pub weight: f64,
    /// f(X).
    pub value: f64,
    /// f at the rounded X.
    pub rounded_value: f64,
    /// f at the hidden permutation.
    pub truth_value: f64,
    /// P(X).
    pub penalty: f64,
    /// ‖X − T‖_F.
    pub distance: f64,
    /// Share of the vertices that the rounded X has right.
    pub node_correctness: f64,
    /// Whether a theorem certifies the rounding.
    pub certified: bool,
}

/// An entry of X that can be seen: a row of `heat.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// λ at the end of whose stage this is X.
    pub weight: f64,
    /// Vertex of A.
    pub row: usize,
    /// The vertex of A whose true partner the column is: the hidden permutation is the diagonal.
    pub column: usize,
    /// X there, to three decimals.
    pub x: f64,
}

/// Smaller entries cannot be seen and are left out.
const LEAST: f64 = 0.02;

/// X is kept this often along the path.
pub(in crate::experiment) const KEPT: usize = 4;

/// A weight, and X at the end of its stage.
type Seen = (f64, DMatrix<f64>);

/// Follows the path on the first instance of the first size and density at the middle one of the correlations.
pub(super) fn follow(experiment: &Experiment, limits: &Limits) -> Result<(Vec<Stage>, Vec<Entry>)> {
    let level = experiment.instances.rho.len() / 2;
    let ((n, p), rho) = experiment.instances.levels()[level];
    let instance = instance_of(experiment, level, 0)?;
    let objective = GraphMatching::new(instance.a, instance.b)?;
    let truth = instance.truth.to_matrix();

    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let watched = seen.clone();
    let limits = limits.clone().with_watcher(move |iterate: &Iterate| {
        let mut stages = watched.lock().unwrap_or_else(PoisonError::into_inner);
        match stages.last_mut() {
            Some((weight, x)) if *weight == iterate.weight => x.clone_from(&iterate.x),
            _ => stages.push((iterate.weight, iterate.x.clone_owned())),
        }
    });
    let settings = experiment.settings.clone().with_method(Method::Penalized).with_rng_seed(experiment.rng_seed);
    let settings = settings.with_descents(false).with_polish(false).with_effort(Effort::Quick).with_restarts(0);
    recover_within(&objective, &settings, &limits)?;
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));

    let (mut stages, mut entries) = (Vec::new(), Vec::new());
    for (weight, x) in &seen {
        let (certificate, rounded) = (certify(x)?, round(x)?);
        stages.push(Stage {
            n,
            p,
            rho,
            weight: *weight,
            value: objective.value(x),
            rounded_value: objective.value_at(&rounded),
            truth_value: objective.value_at(&instance.truth),
            penalty: certificate.penalty,
            distance: (x - &truth).norm(),
            node_correctness: rounded.agreement(&instance.truth),
            certified: certificate.is_certified(),
        });
    }
    for index in kept(&stages) {
        let (weight, x) = &seen[index];
        for (row, column) in (0..n).flat_map(|row| (0..n).map(move |column| (row, column))) {
            let value = x[(row, instance.truth.apply(column))];
            if value >= LEAST {
                entries.push(Entry { weight: *weight, row, column, x: (1000.0 * value).round() / 1000.0 });
            }
        }
    }
    Ok((stages, entries))
}

/// The stages of which X is kept: the relaxation, those where the penalty has fallen by a third and by two thirds, and
/// the last.
fn kept(stages: &[Stage]) -> Vec<usize> {
    let first = stages.first().map_or(0.0, |stage| stage.penalty);
    let mut kept: Vec<usize> = (0..KEPT)
        .filter_map(|part| {
            let share = (KEPT - 1 - part) as f64 / (KEPT - 1) as f64;
            stages.iter().position(|stage| stage.penalty <= share * first).or(stages.len().checked_sub(1))
        })
        .collect();
    kept.dedup();
    kept
}
