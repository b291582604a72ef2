//! The configuration of an experiment: one complete TOML file.

use crate::error::{Error, Result};
use crate::recovery::{Method, Settings};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The configuration that is built into the program.
const GRAPH_MATCHING: &str = include_str!("../../experiments/graph_matching.toml");

/// Methods compared on correlated Erdős–Rényi graphs of several noise levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Folder of the results, relative to the current one.
    pub output_dir: PathBuf,
    /// Trials at each correlation.
    pub trials: usize,
    /// Seed of the instances and of the intervals' resampling.
    pub rng_seed: u64,
    /// The methods, each on the same instances.
    pub methods: Vec<Method>,
    /// What the graphs are.
    pub instances: Instances,
    /// How the methods run; what is not given is the library's default. `method`, `rng_seed` and `time_limit`
    /// have no place here: the first two stand above, and a time limit would let the answer depend on the machine.
    pub settings: Settings,
}

/// Pairs of correlated Erdős–Rényi graphs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    /// Vertices.
    pub n: usize,
    /// Probability of an edge.
    pub p: f64,
    /// Correlations, each a noise level; 0 is the null experiment.
    pub rho: Vec<f64>,
}

impl Experiment {
    /// The default: a small version of the correlated Erdős–Rényi experiment.
    ///
    /// # Errors
    /// None, unless the built-in file is broken; a test reads it.
    pub fn graph_matching() -> Result<Self> {
        Self::parse(Path::new("experiments/graph_matching.toml"), GRAPH_MATCHING)
    }

    /// Reads a configuration.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Parse`] with line and key when a key is unknown, missing or of the wrong type;
    /// as [`Experiment::validate`].
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        let text = String::from_utf8(bytes).map_err(|_| Error::file(path, "not UTF-8 text"))?;
        Self::parse(path, &text)
    }

    /// [`Experiment::read`] from memory; `source` names the text in messages.
    ///
    /// # Errors
    /// As [`Experiment::read`].
    pub fn parse(source: &Path, text: &str) -> Result<Self> {
        let experiment: Experiment = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start).min(text.len());
            let line = 1 + text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count();
            Error::parse(source, line, error.message().replace('\n', " "))
        })?;
        experiment.validate().map_err(|error| Error::file(source, error.to_string()))?;
        Ok(experiment)
    }

    /// Checks what the types do not say.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the key.
    pub fn validate(&self) -> Result<()> {
        let Experiment { trials, methods, instances: Instances { n, p, rho }, settings, .. } = self;
        let refuse = |name, cause: &str| Err(Error::argument(name, cause));
        if !(1..=1_000_000).contains(trials) {
            return refuse("trials", "must be between 1 and 1000000");
        }
        if methods.is_empty() || (1..methods.len()).any(|index| methods[..index].contains(&methods[index])) {
            return refuse("methods", "must name one method at least, and none twice");
        }
        if !(1..=10_000).contains(n) {
            return refuse("instances.n", "must be between 1 and 10000");
        }
        if !(0.0..=1.0).contains(p) {
            return refuse("instances.p", "must be between 0 and 1");
        }
        let twice = (1..rho.len()).any(|index| rho[..index].contains(&rho[index]));
        if rho.is_empty() || twice || !rho.iter().all(|rho| (0.0..=1.0).contains(rho)) {
            return refuse("instances.rho", "must be a list of different numbers between 0 and 1, one at least");
        }
        let elsewhere = Settings::default();
        if settings.method != elsewhere.method || settings.rng_seed != elsewhere.rng_seed {
            return refuse("settings", "`method` and `rng_seed` are given outside of [settings]");
        }
        if settings.time_limit.is_some() {
            return refuse("settings.time_limit", "would let the results depend on the machine");
        }
        Ok(())
    }

    /// The configuration as TOML, every key written out: reading it gives the same experiment.
    ///
    /// # Errors
    /// [`Error::Argument`] when a value has no form in TOML (a seed above 2⁶³).
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|error| Error::argument("configuration", error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Experiment::parse(Path::new("e.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn the_built_in_configuration_is_valid_and_survives_writing() {
        let experiment = Experiment::graph_matching().unwrap();
        assert_eq!(experiment.methods, Method::ALL);
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
            ("n = ", "n = 0 #", "instances.n"),
            ("p = ", "p = nan #", "instances.p"),
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
