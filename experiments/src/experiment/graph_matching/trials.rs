//! Trials, in parallel: every method on the same instances.

use super::config::Experiment;
use crate::experiment::RunDirectory;
use crate::experiment::parallel::resumable;
use argmin::core::TerminationReason;
use birkhoff::error::Result;
use birkhoff::instance::{Instance, correlated_erdos_renyi, correlated_gaussian, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::permutation::Permutation;
use birkhoff::recovery::{Recovery, Settings, recover_within};
use birkhoff::score::EdgeScore;
use birkhoff::solver::Limits;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One method on one instance: a row of `trials.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Vertices.
    pub n: usize,
    /// Probability of an edge; none for Gaussian matrices.
    pub p: Option<f64>,
    /// Correlation of the instance.
    pub rho: f64,
    /// Number of the trial at this size, density and correlation, counted from 0.
    pub trial: usize,
    /// The method, or the name of the variant.
    pub method: String,
    /// `ok`, or what went wrong; then all that follows but the truth's numbers is empty.
    pub status: String,
    /// Share of the vertices matched to their true partner.
    pub node_correctness: Option<f64>,
    /// Share of A's edges kept.
    pub edge_correctness: Option<f64>,
    /// Share of A's edges that the hidden permutation keeps.
    pub truth_edge_correctness: Option<f64>,
    /// f at the answer.
    pub value: Option<f64>,
    /// f at the hidden permutation.
    pub truth_value: Option<f64>,
    /// Proved lower bound of f; empty where there is none.
    pub lower_bound: Option<f64>,
    /// Whether the answer is proved optimal.
    pub proved_optimal: Option<bool>,
    /// P(X) before rounding.
    pub penalty: Option<f64>,
    /// Whether a theorem certifies the rounding.
    pub certified: Option<bool>,
    /// Iterations.
    pub iterations: Option<u64>,
    /// Assignments solved.
    pub lap_calls: Option<u64>,
}

/// How long a trial took: a row of `timings.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Vertices.
    pub n: usize,
    /// Probability of an edge; none for Gaussian matrices.
    pub p: Option<f64>,
    /// Correlation of the instance.
    pub rho: f64,
    /// Number of the trial at this correlation.
    pub trial: usize,
    /// The method, or the name of the variant.
    pub method: String,
    /// Wall-clock time; the trials share the cores.
    pub seconds: f64,
}

/// Runs all trials, on the current rayon pool; none where this is only a shard. Rows are ordered by size, density,
/// correlation, trial and method.
///
/// # Errors
/// [`Error::File`](birkhoff::Error::File) when `interrupt` is set. A method that fails is no error but a row with its
/// status.
pub(super) fn run(
    experiment: &Experiment,
    directory: &RunDirectory,
    interrupt: &Arc<AtomicBool>,
    quiet: bool,
) -> Result<Option<(Vec<Trial>, Vec<Timing>)>> {
    let levels = experiment.instances.levels().len();
    let jobs: Vec<(usize, usize)> =
        (0..levels).flat_map(|level| (0..experiment.trials).map(move |trial| (level, trial))).collect();
    let limits = Limits::default().with_interrupt(interrupt.clone());
    let contestants = experiment.contestants();
    let rows = resumable(directory, (0, jobs), contestants.len(), &limits, quiet, |(level, trial), bar| {
        one_instance(experiment, &contestants, level, trial, &limits, bar)
    })?;
    Ok(rows.map(|rows| rows.into_iter().flatten().unzip()))
}

/// The graphs of a trial: a stream of its own for every instance, whatever the number of trials.
pub(super) fn instance_of(experiment: &Experiment, level: usize, trial: usize) -> Result<Instance> {
    let ((n, p), rho) = experiment.instances.levels()[level];
    let mut rng = rng(experiment.rng_seed, ((level as u64) << 32) | trial as u64);
    match p {
        Some(p) => correlated_erdos_renyi(n, p, rho, &mut rng),
        None => correlated_gaussian(n, rho, &mut rng),
    }
}

/// All methods on trial `trial` of the noise level `level`.
fn one_instance(
    experiment: &Experiment,
    contestants: &[(String, Settings)],
    level: usize,
    trial: usize,
    limits: &Limits,
    bar: &ProgressBar,
) -> Result<Vec<(Trial, Timing)>> {
    let ((n, p), rho) = experiment.instances.levels()[level];
    let instance = instance_of(experiment, level, trial)?;
    let objective = GraphMatching::new(instance.a.clone(), instance.b.clone())?;
    let truth = &instance.truth;
    let score = |p: &Permutation| EdgeScore::of(&instance.a, &instance.b, p).correctness();

    let run = |(method, settings): &(String, Settings)| {
        let method = method.clone();
        let began = std::time::Instant::now();
        let result = recover_within(&objective, settings, limits);
        let seconds = began.elapsed().as_secs_f64();
        bar.inc(1);
        let (status, found) = match result {
            Ok(recovery) if recovery.termination == TerminationReason::Interrupt => ("interrupted".to_string(), None),
            Ok(recovery) => ("ok".to_string(), Some(recovery)),
            Err(error) => (error.to_string(), None),
        };
        let found: Option<&Recovery> = found.as_ref();
        let row = Trial {
            n,
            p,
            rho,
            trial,
            method: method.clone(),
            status,
            node_correctness: found.map(|found| found.permutation.agreement(truth)),
            edge_correctness: found.and_then(|found| score(&found.permutation)),
            truth_edge_correctness: score(truth),
            value: found.map(|found| found.optimality.value),
            truth_value: Some(objective.value_at(truth)),
            lower_bound: found.map(|found| found.optimality.lower_bound).filter(|bound| bound.is_finite()),
            proved_optimal: found.map(|found| found.optimality.is_proved()),
            penalty: found.map(|found| found.certificate.penalty),
            certified: found.map(|found| found.certificate.is_certified()),
            iterations: found.map(|found| found.iterations),
            lap_calls: found.map(|found| found.lap_calls),
        };
        (row, Timing { n, p, rho, trial, method, seconds })
    };
    Ok(contestants.iter().map(run).collect())
}
