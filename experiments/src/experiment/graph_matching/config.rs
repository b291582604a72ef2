//! The configuration: one complete TOML file.

use super::{manifest, measure};
use crate::experiment::config::{check_list, check_trials, common_keys};
use crate::experiment::{Columns, Configuration, RunDirectory};
use birkhoff::error::{Error, Result};
use birkhoff::penalty::Penalty;
use birkhoff::recovery::{Effort, Method, Settings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The configuration that is built into the program.
const GRAPH_MATCHING: &str = include_str!("../../../graph_matching.toml");

/// Methods compared on correlated random graphs of several noise levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Folder of the results, relative to the current one.
    pub output_dir: PathBuf,
    /// Trials at each correlation.
    pub trials: usize,
    /// Seed of the instances and of the intervals' resampling.
    pub rng_seed: u64,
    /// The methods, each on the same instances, run as [`settings`](Self::settings) says.
    pub methods: Vec<Method>,
    /// Whether the landscapes at n = 2 are written beside: closed forms, the same in every experiment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub landscapes: bool,
    /// Methods that run otherwise, each under a name of its own, on the same instances.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// What the graphs are.
    pub instances: Instances,
    /// How the methods run; what is not given is the library's default. `method`, `rng_seed` and `time_limit`
    /// have no place here: the first two stand above, and a time limit would let the answer depend on the machine.
    pub settings: Settings,
}

/// A method with settings of its own; what is not given is as in the experiment's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What it is called in files and pictures; no method's name.
    pub name: String,
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The penalty.
    pub penalty: Option<Penalty>,
    /// Whether the path looks ahead.
    pub descents: Option<bool>,
    /// Whether answers are polished.
    pub polish: Option<bool>,
    /// How long is searched.
    pub effort: Option<Effort>,
    /// Further runs.
    pub restarts: Option<usize>,
}

/// How the two graphs are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// [`correlated_erdos_renyi`](birkhoff::instance::correlated_erdos_renyi).
    #[default]
    ErdosRenyi,
    /// [`correlated_gaussian`](birkhoff::instance::correlated_gaussian): every pair has a weight, and there is no
    /// density.
    Gaussian,
}

impl Model {
    /// What titles call the two graphs.
    pub fn title(self) -> &'static str {
        match self {
            Model::ErdosRenyi => "Correlated Erdős–Rényi graphs",
            Model::Gaussian => "Correlated Gaussian (Wigner) matrices",
        }
    }
}

/// Vertices, and probability of an edge where there is one.
pub type Kind = (usize, Option<f64>);

/// What titles call a kind.
pub(in crate::experiment) fn describe((n, p): Kind) -> String {
    p.map_or(format!("n = {n}"), |p| format!("n = {n}, p = {p}"))
}

/// Pairs of correlated graphs, of every size and density.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    /// How they are drawn.
    #[serde(default)]
    pub model: Model,
    /// Vertices.
    pub n: Vec<usize>,
    /// Probabilities of an edge; none for Gaussian matrices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub p: Vec<f64>,
    /// Correlations, each a noise level; 0 is the null experiment.
    pub rho: Vec<f64>,
}

impl Instances {
    /// Every density; that of Gaussian matrices is none.
    pub fn densities(&self) -> Vec<Option<f64>> {
        match self.model {
            Model::ErdosRenyi => self.p.iter().copied().map(Some).collect(),
            Model::Gaussian => vec![None],
        }
    }

    /// Every size with every density.
    pub fn kinds(&self) -> Vec<Kind> {
        let densities = self.densities();
        self.n.iter().flat_map(|&n| densities.iter().map(move |&p| (n, p))).collect()
    }

    /// Every size and density, with every correlation.
    pub fn levels(&self) -> Vec<(Kind, f64)> {
        self.kinds().into_iter().flat_map(|kind| self.rho.iter().map(move |&rho| (kind, rho))).collect()
    }
}

impl Experiment {
    /// Everything that is run on each instance: its name and its settings.
    pub fn contestants(&self) -> Vec<(String, Settings)> {
        let shared = self.settings.clone().with_rng_seed(self.rng_seed);
        let plain = self.methods.iter().map(|&method| (method.name().into(), shared.clone().with_method(method)));
        let varied = self.variants.iter().map(|variant| {
            let settings = shared
                .clone()
                .with_method(variant.method)
                .with_penalty(variant.penalty.unwrap_or(shared.penalty))
                .with_descents(variant.descents.unwrap_or(shared.descents))
                .with_polish(variant.polish.unwrap_or(shared.polish))
                .with_effort(variant.effort.unwrap_or(shared.effort))
                .with_restarts(variant.restarts.unwrap_or(shared.restarts));
            (variant.name.clone(), settings)
        });
        plain.chain(varied).collect()
    }

    /// The names of the contestants.
    pub fn names(&self) -> Vec<String> {
        self.contestants().into_iter().map(|(name, _)| name).collect()
    }
}

impl Configuration for Experiment {
    const PROGRAM: &'static str = "graph_matching";
    const BUILT_IN: (&'static str, &'static str) = ("experiments/graph_matching.toml", GRAPH_MATCHING);
    const INTERVAL: &'static str = "95 %, bootstrap percentile over trials";
    const COLUMNS: &'static [Columns] = manifest::COLUMNS;

    common_keys!();

    fn shrink(&mut self) {
        self.trials = self.trials.min(2);
        self.instances.n.iter_mut().for_each(|n| *n = (*n).min(12));
        self.instances.n.dedup();
    }

    fn validate(&self) -> Result<()> {
        let Experiment { trials, methods, instances: Instances { model, n, p, rho }, settings, .. } = self;
        let refuse = |name, cause: &str| Err(Error::argument(name, cause));
        check_trials(*trials)?;
        check_list("methods", methods, "methods", |_| true)?;
        let is_name = |name: &String| !name.is_empty() && !name.contains(|c: char| c.is_control());
        check_list("variants", &self.names(), "names, none of them a method's,", is_name)?;
        check_list("instances.n", n, "numbers between 1 and 10000", |n| (1..=10_000).contains(n))?;
        match model {
            Model::ErdosRenyi => {
                check_list("instances.p", p, "numbers between 0 and 1", |p| (0.0..=1.0).contains(p))?;
            }
            Model::Gaussian if !p.is_empty() => return refuse("instances.p", "has no place beside Gaussian matrices"),
            Model::Gaussian => {}
        }
        check_list("instances.rho", rho, "numbers between 0 and 1", |rho| (0.0..=1.0).contains(rho))?;
        let elsewhere = Settings::default();
        if settings.method != elsewhere.method || settings.rng_seed != elsewhere.rng_seed {
            return refuse("settings", "`method` and `rng_seed` are given outside of [settings]");
        }
        if settings.time_limit.is_some() {
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

    fn message(text: &str) -> String {
        Experiment::parse(Path::new("e.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_configuration_is_valid_and_survives_writing() {
        let experiment = Experiment::built_in().unwrap();
        assert_eq!(experiment.methods, Method::ALL);
        // The figures read the landscapes of this one.
        assert!(experiment.landscapes);
        let written = experiment.to_toml().unwrap();
        assert_eq!(Experiment::parse(Path::new("config.toml"), &written).unwrap(), experiment);
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_at_every_level() {
        for (right, wrong) in [("trials", "trails"), ("rho", "roh"), ("restarts", "restart")] {
            let text = GRAPH_MATCHING.replacen(&format!("\n{right} ="), &format!("\n{wrong} ="), 1);
            let line = 1 + text.lines().position(|line| line.starts_with(wrong)).unwrap();
            let message = message(&text);
            assert!(message.starts_with(&format!("e.toml:{line}: ")), "{message}");
            assert!(message.contains(&format!("`{wrong}`")) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn values_that_make_no_sense_name_their_key() {
        for (from, to, key) in [
            ("trials = ", "trials = 0 #", "trials"),
            ("n = ", "n = [0] #", "instances.n"),
            ("p = ", "p = [nan] #", "instances.p"),
            ("p = ", "#", "instances.p"),
            ("p = ", "model = 'gaussian'\np = ", "instances.p"),
            ("rho = ", "rho = [0.5, 0.5] #", "instances.rho"),
            ("methods = [", "methods = [] #", "methods"),
            ("[settings]", "[settings]\nmethod = 'faq'", "settings"),
            ("[settings]", "[settings]\ntime_limit = 1.0", "settings.time_limit"),
        ] {
            let mut text = GRAPH_MATCHING.replacen(&format!("\n{from}"), &format!("\n{to}"), 1);
            if key == "methods" {
                let rest = text.find("[] #").unwrap();
                let end = rest + text[rest..].find("\n]").unwrap() + 2;
                text.replace_range(rest + 2..end, "");
            }
            let message = message(&text);
            assert!(message.starts_with("e.toml") && message.contains(key), "{message}");
        }
        assert!(message("").contains("missing field"));
    }
}
