//! The configuration: one complete TOML file.

use super::{manifest, measure};
use crate::experiment::config::{check_list, check_trials, common_keys};
use crate::experiment::{Columns, Configuration, RunDirectory};
use birkhoff::error::{Error, Result};
use birkhoff::recovery::{self, Settings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The configuration that is built into the program.
const TWO_LAYER: &str = include_str!("../../../two_layer.toml");

/// Methods compared on random two-layer networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Folder of the results, relative to the current one.
    pub output_dir: PathBuf,
    /// Trials of each network, dimension and noise.
    pub trials: usize,
    /// Seed of the instances and of the samples.
    pub rng_seed: u64,
    /// The methods, each on the same instances.
    pub methods: Vec<Method>,
    /// The kinds of network.
    pub networks: Vec<Network>,
    /// What the instances are.
    pub instances: Instances,
    /// Stochastic gradient.
    pub sgd: Sgd,
    /// How the other methods run; what is not given is the library's default. `method`, `rng_seed` and `time_limit`
    /// have no place here, as in the graph matching experiment.
    pub settings: Settings,
}

/// How a permutation is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Frank–Wolfe on f over D_n, rounded.
    Relaxation,
    /// The penalized path.
    Penalized,
    /// Projected gradient on f + λP, threshold and scaling, with exact gradients.
    ProjectedGradient,
    /// Stochastic gradient on minibatches: the training setting.
    Sgd,
}

impl Method {
    /// All methods.
    pub const ALL: [Method; 4] = [Method::Relaxation, Method::Penalized, Method::ProjectedGradient, Method::Sgd];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Method::Relaxation => "relaxation",
            Method::Penalized => "penalized",
            Method::ProjectedGradient => "projected-gradient",
            Method::Sgd => "sgd",
        }
    }

    /// The method of the library; none for stochastic gradient, which needs samples.
    pub(super) fn of_library(self) -> Option<recovery::Method> {
        match self {
            Method::Relaxation => Some(recovery::Method::Relaxation),
            Method::Penalized => Some(recovery::Method::Penalized),
            Method::ProjectedGradient => Some(recovery::Method::ProjectedGradient),
            Method::Sgd => None,
        }
    }
}

/// Where the permutation is, and what is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Xσ(Wx).
    OutsideVector,
    /// vᵀXσ(Wx).
    OutsideScalar,
    /// σ(XWx).
    InsideVector,
    /// vᵀσ(XWx).
    InsideScalar,
}

impl Network {
    /// All networks.
    pub const ALL: [Network; 4] =
        [Network::OutsideVector, Network::OutsideScalar, Network::InsideVector, Network::InsideScalar];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Network::OutsideVector => "outside-vector",
            Network::OutsideScalar => "outside-scalar",
            Network::InsideVector => "inside-vector",
            Network::InsideScalar => "inside-scalar",
        }
    }

    /// The student's output.
    pub fn formula(self) -> &'static str {
        match self {
            Network::OutsideVector => "Xσ(Wx)",
            Network::OutsideScalar => "vᵀXσ(Wx)",
            Network::InsideVector => "σ(XWx)",
            Network::InsideScalar => "vᵀσ(XWx)",
        }
    }
}

/// Random networks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    /// d, with a teacher without noise; W is d × d.
    pub dimensions: Vec<usize>,
    /// ν: the teacher is (1 − ν)Π + νR, R a random doubly stochastic matrix.
    pub noise: Vec<f64>,
    /// d at these noise levels.
    pub noise_dimension: usize,
}

impl Instances {
    /// (d, ν) of every level, each once: the dimensions without noise, then the noise levels.
    pub fn levels(&self) -> Vec<(usize, f64)> {
        let mut levels: Vec<(usize, f64)> = self.dimensions.iter().map(|&d| (d, 0.0)).collect();
        for &noise in &self.noise {
            if !levels.contains(&(self.noise_dimension, noise)) {
                levels.push((self.noise_dimension, noise));
            }
        }
        levels
    }
}

/// Stochastic gradient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sgd {
    /// Inputs a step.
    pub batch: usize,
    /// Steps at each weight.
    pub steps_per_weight: u32,
    /// Weights, 0 the first.
    pub stages: usize,
    /// First weight above 0, in units of κ.
    pub first: f64,
    /// Last weight, in units of κ.
    pub last: f64,
    /// Step size, in units of 1/κ.
    pub rate: f64,
}

impl Configuration for Experiment {
    const PROGRAM: &'static str = "two_layer";
    const BUILT_IN: (&'static str, &'static str) = ("experiments/two_layer.toml", TWO_LAYER);
    const INTERVAL: &'static str = "95 %, Wilson score over trials; in trajectories.csv quartiles over trials";
    const COLUMNS: &'static [Columns] = manifest::COLUMNS;

    common_keys!();

    fn shrink(&mut self) {
        self.trials = self.trials.min(2);
        self.instances.dimensions.iter_mut().for_each(|d| *d = (*d).div_ceil(5));
        self.instances.noise_dimension = self.instances.noise_dimension.div_ceil(5);
        self.sgd.steps_per_weight = self.sgd.steps_per_weight.min(10);
    }

    fn validate(&self) -> Result<()> {
        let refuse = |name, cause: &str| Err(Error::argument(name, cause));
        check_trials(self.trials)?;
        check_list("methods", &self.methods, "methods", |_| true)?;
        check_list("networks", &self.networks, "networks", |_| true)?;
        let Instances { dimensions, noise, noise_dimension } = &self.instances;
        let is_dimension = |d: &usize| (2..=1000).contains(d);
        check_list("instances.dimensions", dimensions, "numbers between 2 and 1000", is_dimension)?;
        check_list("instances.noise", noise, "numbers between 0 and 1", |noise| (0.0..=1.0).contains(noise))?;
        if !is_dimension(noise_dimension) {
            return refuse("instances.noise_dimension", "must be between 2 and 1000");
        }
        let Sgd { batch, steps_per_weight, stages, first, last, rate } = self.sgd;
        if !(1..=100_000).contains(&batch)
            || !(1..=1_000_000).contains(&steps_per_weight)
            || !(2..=1000).contains(&stages)
        {
            return refuse("sgd", "needs a batch of 1 to 100000, 1 to 1000000 steps_per_weight and 2 to 1000 stages");
        }
        if !(first > 0.0 && last >= first && last.is_finite() && rate > 0.0 && rate.is_finite()) {
            return refuse("sgd", "needs 0 < first <= last and rate > 0");
        }
        let elsewhere = Settings::default();
        if self.settings.method != elsewhere.method || self.settings.rng_seed != elsewhere.rng_seed {
            return refuse("settings", "`method` and `rng_seed` are given outside of [settings]");
        }
        if self.settings.polish {
            return refuse("settings.polish", "must be false: trials.csv has a column for what swaps mend");
        }
        if self.settings.time_limit.is_some() {
            return refuse("settings.time_limit", "would let the results depend on the machine");
        }
        Ok(())
    }

    fn measure(&self, directory: &RunDirectory, interrupt: &Arc<AtomicBool>, quiet: bool) -> Result<Option<String>> {
        measure(self, directory, interrupt, quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_built_in_configuration_is_valid_whole_and_small_and_survives_writing() {
        let mut experiment = Experiment::built_in().unwrap();
        assert_eq!(
            (experiment.methods.as_slice(), experiment.networks.as_slice()),
            (&Method::ALL[..], &Network::ALL[..])
        );
        assert_eq!(Experiment::parse(Path::new("c.toml"), &experiment.to_toml().unwrap()).unwrap(), experiment);
        experiment.shrink();
        experiment.validate().unwrap();
        assert_eq!(Experiment::parse(Path::new("c.toml"), &experiment.to_toml().unwrap()).unwrap(), experiment);
    }

    #[test]
    fn a_level_that_is_named_twice_is_measured_once() {
        let levels = Experiment::built_in().unwrap().instances.levels();
        assert_eq!(levels, [(10, 0.0), (20, 0.0), (50, 0.0), (20, 0.05), (20, 0.2), (20, 0.6)]);
    }

    #[test]
    fn values_that_make_no_sense_name_their_key() {
        for (from, to, key) in [
            ("dimensions = ", "dimensions = [1] #", "instances.dimensions"),
            ("noise = ", "noise = [1.5] #", "instances.noise"),
            ("rate = ", "rate = nan #", "sgd"),
            ("batch = ", "batch = 0 #", "sgd"),
            ("networks = ", "networks = [] #", "networks"),
            ("polish = ", "polish = true #", "settings.polish"),
            ("polish = ", "polish = false\ntime_limit = 1.0 #", "settings.time_limit"),
        ] {
            let text = TWO_LAYER.replacen(&format!("\n{from}"), &format!("\n{to}"), 1);
            let message = Experiment::parse(Path::new("e.toml"), &text).unwrap_err().to_string();
            assert!(message.starts_with("e.toml: ") && message.contains(key), "{message}");
        }
    }
}
