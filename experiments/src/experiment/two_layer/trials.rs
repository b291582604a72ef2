//! Trials, in parallel: every method on the same networks.

use super::config::{Experiment, Method, Network, Sgd};
use crate::experiment::RunDirectory;
use crate::experiment::parallel::resumable;
use argmin::core::TerminationReason;
use birkhoff::certificate::{Optimality, certify};
use birkhoff::error::Result;
use birkhoff::instance::rng;
use birkhoff::local_search::swap_descent;
use birkhoff::objective::Objective;
use birkhoff::objective::two_layer::{Inputs, PermutationInside, PermutationOutside, Readout};
use birkhoff::permutation::Permutation;
use birkhoff::polytope::{Face, barycenter, random_point, round};
use birkhoff::recovery::recover_within;
use birkhoff::solver::{Iterate, Limits, Stage, StochasticGradient, minimize};
use indicatif::ProgressBar;
use nalgebra::{DMatrix, DVector};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One method on one network: a row of `trials.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Kind of network.
    pub network: Network,
    /// Dimension d; W is d × d.
    pub d: usize,
    /// Noise ν of the teacher.
    pub noise: f64,
    /// Number of the trial, counted from 0.
    pub trial: usize,
    /// The method.
    pub method: Method,
    /// `ok`, or what went wrong; then all that follows is empty.
    pub status: String,
    /// Share of the units in their place.
    pub node_correctness: Option<f64>,
    /// The same after swap descent from the rounded answer.
    pub node_correctness_polished: Option<f64>,
    /// f at the answer, relative to f at the barycenter.
    pub value: Option<f64>,
    /// f at the hidden permutation, relative to f at the barycenter.
    pub truth_value: Option<f64>,
    /// Whether the answer is proved to minimize f over the permutations.
    pub proved_optimal: Option<bool>,
    /// P(X) before rounding.
    pub penalty: Option<f64>,
    /// Whether a theorem certifies the rounding.
    pub certified: Option<bool>,
    /// ‖X − T‖_F before rounding.
    pub distance: Option<f64>,
    /// Steps.
    pub iterations: Option<u64>,
}

/// How long a trial took: a row of `timings.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Kind of network.
    pub network: Network,
    /// Dimension.
    pub d: usize,
    /// Noise of the teacher.
    pub noise: f64,
    /// Number of the trial.
    pub trial: usize,
    /// The method.
    pub method: Method,
    /// Wall-clock time; the trials share the cores.
    pub seconds: f64,
}

/// Runs all trials, on the current rayon pool; none where this is only a shard. Rows are ordered by network, level,
/// trial and method.
pub(super) fn run(
    experiment: &Experiment,
    directory: &RunDirectory,
    interrupt: &Arc<AtomicBool>,
    quiet: bool,
) -> Result<Option<(Vec<Trial>, Vec<Timing>)>> {
    let levels = experiment.instances.levels();
    let jobs: Vec<(Network, (usize, f64), usize)> = (experiment.networks.iter())
        .flat_map(|&network| levels.iter().map(move |&level| (network, level)))
        .flat_map(|(network, level)| (0..experiment.trials).map(move |trial| (network, level, trial)))
        .collect();
    let limits = Limits::default().with_interrupt(interrupt.clone());
    let runs = experiment.methods.len();
    let rows = resumable(directory, (0, jobs), runs, &limits, quiet, |(network, (d, noise), trial), bar| {
        one_network(experiment, &Instance::new(experiment.rng_seed, network, d, noise, trial)?, trial, &limits, bar)
    })?;
    Ok(rows.map(|rows| rows.into_iter().flatten().unzip()))
}

/// A random network with its teacher.
pub(super) struct Instance {
    pub network: Network,
    pub noise: f64,
    pub weights: DMatrix<f64>,
    pub truth: Permutation,
    pub teacher: DMatrix<f64>,
    readout: DVector<f64>,
    pub objective: Box<dyn Objective>,
    stream: u64,
}

impl Instance {
    /// All networks and noise levels of a dimension share W, v, Π and R in trial number `trial`.
    pub fn new(rng_seed: u64, network: Network, d: usize, noise: f64, trial: usize) -> Result<Self> {
        let stream = ((d as u64) << 32) | trial as u64;
        let rng = &mut rng(rng_seed, stream);
        let deviation = (1.0 / d as f64).sqrt();
        let weights = normal(d, d, rng) * deviation;
        let readout = DVector::from_column_slice(normal(d, 1, rng).as_slice());
        let truth = Permutation::random(d, rng);
        let teacher = truth.to_matrix() * (1.0 - noise) + random_point(d, rng) * noise;
        let objective = loss(network, &weights, &readout, &teacher, &Inputs::Standard)?;
        Ok(Instance { network, noise, weights, truth, teacher, readout, objective, stream })
    }

    /// The solver that trains on fresh minibatches of Gaussian inputs.
    pub fn stochastic_gradient(&self, experiment: &Experiment) -> StochasticGradient<'_> {
        let Sgd { batch, steps_per_weight, stages, first, last, rate } = experiment.sgd;
        let scale = self.objective.scale();
        let growing = birkhoff::penalty::WeightSchedule { first, last, stages: stages - 1 }.weights();
        let stage =
            |weight: f64| Stage { weight: weight * scale, max_steps: steps_per_weight as usize, gap_tolerance: 0.0 };
        let stages = std::iter::once(0.0).chain(growing).map(stage).collect();
        // Streams that no instance has: theirs leave the highest bit clear.
        let (rng_seed, stream) = (experiment.rng_seed, self.stream);
        StochasticGradient::new(experiment.settings.penalty, stages, rate / scale, move |step| {
            let rng = &mut rng(rng_seed ^ stream.rotate_left(17), (1 << 63) | step);
            let samples = normal(batch, self.weights.ncols(), rng);
            loss(self.network, &self.weights, &self.readout, &self.teacher, &Inputs::Samples(samples))
        })
    }
}

fn normal(rows: usize, columns: usize, rng: &mut impl rand::Rng) -> DMatrix<f64> {
    DMatrix::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
}

fn loss(
    network: Network,
    weights: &DMatrix<f64>,
    readout: &DVector<f64>,
    teacher: &DMatrix<f64>,
    inputs: &Inputs,
) -> Result<Box<dyn Objective>> {
    let scalar = || Readout::Scalar(readout.clone());
    Ok(match network {
        Network::OutsideVector => Box::new(PermutationOutside::new(weights, teacher, Readout::Vector, inputs)?),
        Network::OutsideScalar => Box::new(PermutationOutside::new(weights, teacher, scalar(), inputs)?),
        Network::InsideVector => Box::new(PermutationInside::new(weights, teacher, Readout::Vector, inputs)?),
        Network::InsideScalar => Box::new(PermutationInside::new(weights, teacher, scalar(), inputs)?),
    })
}

/// What a method found.
struct Found {
    permutation: Permutation,
    x: DMatrix<f64>,
    proved_optimal: bool,
    iterations: u64,
    interrupted: bool,
}

fn search(experiment: &Experiment, instance: &Instance, method: Method, limits: &Limits) -> Result<Found> {
    let objective = &*instance.objective;
    match method.of_library() {
        Some(method) => {
            let settings = experiment.settings.clone().with_method(method).with_rng_seed(experiment.rng_seed);
            let recovery = recover_within(objective, &settings, limits)?;
            Ok(Found {
                proved_optimal: recovery.optimality.is_proved(),
                iterations: recovery.iterations,
                interrupted: recovery.termination == TerminationReason::Interrupt,
                permutation: recovery.permutation,
                x: recovery.x.to_dense().into_owned(),
            })
        }
        None => {
            let start = Iterate::at(barycenter(objective.size()));
            let last = minimize(objective, instance.stochastic_gradient(experiment), start, limits)?;
            let permutation = round(&last.x)?;
            let optimality =
                Optimality::of(objective, &permutation, objective.value_at(&permutation), f64::NEG_INFINITY);
            Ok(Found {
                proved_optimal: optimality.is_proved(),
                iterations: last.iterations(),
                interrupted: last.termination() == Some(&TerminationReason::Interrupt),
                permutation,
                x: last.x.into_matrix(),
            })
        }
    }
}

/// All methods on one network.
fn one_network(
    experiment: &Experiment,
    instance: &Instance,
    trial: usize,
    limits: &Limits,
    bar: &ProgressBar,
) -> Result<Vec<(Trial, Timing)>> {
    let &Instance { network, noise, .. } = instance;
    let (objective, d) = (&*instance.objective, instance.truth.len());
    let unit = objective.value(&barycenter(d)).max(f64::MIN_POSITIVE);
    let face = Face::new(d, &[])?;
    let run = |&method: &Method| {
        let began = std::time::Instant::now();
        let result = search(experiment, instance, method, limits);
        let seconds = began.elapsed().as_secs_f64();
        bar.inc(1);
        let (status, found) = match result {
            Ok(found) if found.interrupted => ("interrupted".to_string(), None),
            Ok(found) => ("ok".to_string(), Some(found)),
            Err(error) => (error.to_string(), None),
        };
        let certificate = found.as_ref().map(|found| certify(&found.x)).transpose()?;
        let found = found.as_ref();
        let polished = |found: &Found| {
            let mut permutation = found.permutation.clone();
            swap_descent(objective, &face, &mut permutation, &|| limits.reached().is_some());
            permutation.agreement(&instance.truth)
        };
        let row = Trial {
            network,
            d,
            noise,
            trial,
            method,
            status,
            node_correctness: found.map(|found| found.permutation.agreement(&instance.truth)),
            node_correctness_polished: found.map(polished),
            value: found.map(|found| short(objective.value_at(&found.permutation) / unit)),
            truth_value: found.map(|_| short(objective.value_at(&instance.truth) / unit)),
            proved_optimal: found.map(|found| found.proved_optimal),
            penalty: certificate.as_ref().map(|certificate| short(certificate.penalty)),
            certified: certificate.as_ref().map(|certificate| certificate.is_certified()),
            distance: found.map(|found| short((&found.x - &instance.teacher).norm())),
            iterations: found.map(|found| found.iterations),
        };
        Ok((row, Timing { network, d, noise, trial, method, seconds }))
    };
    experiment.methods.iter().map(run).collect()
}

/// Rounded to 1e-9: what is left of a zero, and digits that only make files larger, go.
fn short(value: f64) -> f64 {
    // + 0 turns −0 into 0.
    (value * 1e9).round() / 1e9 + 0.0
}
