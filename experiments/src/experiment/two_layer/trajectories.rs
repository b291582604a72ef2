//! How value, penalty and distance to the teacher go along the runs.

use super::config::{Experiment, Method, Network};
use super::trials::Instance;
use crate::experiment::interval::quantile;
use crate::experiment::parallel::in_parallel;
use birkhoff::error::Result;
use birkhoff::polytope::barycenter;
use birkhoff::recovery::recover_within;
use birkhoff::solver::{Iterate, Limits, minimize};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// The network whose runs are followed, at the largest noise below 1 ([`Experiment`]'s noise dimension).
pub const FOLLOWED: Network = Network::InsideVector;

/// At most this many trials are followed.
const MOST_TRIALS: usize = 20;

/// Points of a line.
const POINTS: usize = 100;

/// One quantity of one method at one step: a row of `trajectories.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trajectory {
    /// The method.
    pub method: Method,
    /// Step of the method.
    pub step: usize,
    /// What it is.
    pub quantity: Quantity,
    /// Lower quartile over the trials.
    pub low: f64,
    /// Median.
    pub median: f64,
    /// Upper quartile.
    pub high: f64,
    /// Runs.
    pub trials: usize,
}

/// What is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// f(X), relative to the barycenter's.
    Value,
    /// P(X).
    Penalty,
    /// ‖X − T‖_F.
    Distance,
}

impl Quantity {
    /// All of them.
    pub const ALL: [Quantity; 3] = [Quantity::Value, Quantity::Penalty, Quantity::Distance];
}

/// The noise level that is followed: the middle one of the list.
pub fn followed_noise(experiment: &Experiment) -> f64 {
    let mut noise = experiment.instances.noise.clone();
    noise.sort_by(f64::total_cmp);
    noise[noise.len() / 2]
}

/// Follows the runs of every method.
pub(super) fn follow(experiment: &Experiment, limits: &Limits, output_dir: &Path) -> Result<Vec<Trajectory>> {
    let trials = experiment.trials.min(MOST_TRIALS);
    let jobs: Vec<(Method, usize)> =
        experiment.methods.iter().flat_map(|&method| (0..trials).map(move |trial| (method, trial))).collect();
    let paths = in_parallel(output_dir, jobs, 0, limits, true, |(method, trial), _| {
        let (d, noise) = (experiment.instances.noise_dimension, followed_noise(experiment));
        path(experiment, &Instance::new(experiment.rng_seed, FOLLOWED, d, noise, trial)?, method, limits)
    })?;
    let rows =
        experiment.methods.iter().zip(paths.chunks(trials)).flat_map(|(&method, paths)| summarize(method, paths));
    Ok(rows.collect())
}

/// Value, penalty and distance at every step of one run.
fn path(experiment: &Experiment, instance: &Instance, method: Method, limits: &Limits) -> Result<Vec<[f64; 3]>> {
    let objective = &*instance.objective;
    let n = objective.size();
    let unit = objective.value(&barycenter(n)).max(f64::MIN_POSITIVE);
    let seen: Arc<Mutex<Vec<nalgebra::DMatrix<f64>>>> = Arc::default();
    let watched = seen.clone();
    let limits = limits.clone().with_watcher(move |iterate: &Iterate| {
        watched.lock().unwrap_or_else(PoisonError::into_inner).push(iterate.x.clone_owned());
    });
    match method.of_library() {
        Some(method) => {
            let settings = experiment.settings.clone().with_method(method).with_rng_seed(experiment.rng_seed);
            recover_within(objective, &settings, &limits)?;
        }
        None => {
            minimize(objective, instance.stochastic_gradient(experiment), Iterate::at(barycenter(n)), &limits)?;
        }
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let start = std::iter::once(barycenter(n));
    let measured = start.chain(seen).map(|x| {
        let penalty = birkhoff::penalty::Penalty::L1MinusL2.value(&x);
        [objective.value(&x) / unit, penalty, (&x - &instance.teacher).norm()]
    });
    Ok(measured.collect())
}

/// Quartiles over the runs at evenly spread steps; a run that has ended stays where it is.
fn summarize(method: Method, paths: &[Vec<[f64; 3]>]) -> Vec<Trajectory> {
    let longest = paths.iter().map(Vec::len).max().unwrap_or(1);
    let mut steps: Vec<usize> = (0..=POINTS).map(|k| k * (longest - 1) / POINTS).collect();
    steps.dedup();
    let row = |(step, quantity): (usize, Quantity)| {
        let at = |path: &Vec<[f64; 3]>| path[step.min(path.len() - 1)][quantity as usize];
        let mut values: Vec<f64> = paths.iter().map(at).collect();
        values.sort_by(f64::total_cmp);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| quantile(&values, share));
        Trajectory { method, step, quantity, low, median, high, trials: values.len() }
    };
    let pairs = Quantity::ALL.into_iter().flat_map(|quantity| steps.iter().map(move |&step| (step, quantity)));
    pairs.map(row).collect()
}
