//! The configuration: one complete TOML file.

use super::{manifest, measure};
use crate::experiment::config::{check_list, check_trials, common_keys};
use crate::experiment::{Columns, Configuration, RunDirectory};
use birkhoff::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The configuration that is built into the program.
const ERROR_BOUNDS: &str = include_str!("../../../error_bounds.toml");

/// Matrices of all kinds against the bounds T0–T4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Folder of the results, relative to the current one.
    pub output_dir: PathBuf,
    /// Matrices of each kind at n = 2; 2/n as many at n.
    pub trials: usize,
    /// Seed of everything random.
    pub rng_seed: u64,
    /// n.
    pub sizes: Vec<usize>,
    /// The search for violations.
    pub ascent: Ascent,
}

/// How violations are searched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ascent {
    /// n.
    pub sizes: Vec<usize>,
    /// Random matrices at each size.
    pub starts: usize,
    /// Moves of each start.
    pub moves: usize,
}

impl Experiment {
    /// Matrices of each kind at size n.
    pub fn count(&self, n: usize) -> usize {
        (2 * self.trials).div_ceil(n)
    }
}

impl Configuration for Experiment {
    const PROGRAM: &'static str = "error_bounds";
    const BUILT_IN: (&'static str, &'static str) = ("experiments/error_bounds.toml", ERROR_BOUNDS);
    const INTERVAL: &'static str = "none: all numbers are counts and extremes over the matrices";
    const COLUMNS: &'static [Columns] = manifest::COLUMNS;

    common_keys!();

    fn shrink(&mut self) {
        self.trials = self.trials.min(200);
        self.sizes.truncate(9);
        self.ascent.starts = self.ascent.starts.min(3);
        self.ascent.moves = self.ascent.moves.min(300);
    }

    fn validate(&self) -> Result<()> {
        check_trials(self.trials)?;
        let is_size = |n: &usize| (2..=1000).contains(n);
        check_list("sizes", &self.sizes, "numbers between 2 and 1000", is_size)?;
        let Ascent { sizes, starts, moves } = &self.ascent;
        check_list("ascent.sizes", sizes, "numbers between 2 and 1000", is_size)?;
        if !(1..=1_000_000).contains(starts) || !(1..=10_000_000).contains(moves) {
            return Err(Error::argument("ascent", "needs 1 to 1000000 starts and 1 to 10000000 moves"));
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
    fn the_built_in_configuration_is_valid_whole_and_small_and_has_a_million_matrices() {
        let mut experiment = Experiment::built_in().unwrap();
        let matrices: usize = experiment.sizes.iter().map(|&n| experiment.count(n)).sum();
        assert!(matrices * super::super::sample::Kind::ALL.len() >= 1_000_000);
        assert_eq!((experiment.sizes[0], experiment.sizes.last()), (2, Some(&200)));
        experiment.shrink();
        experiment.validate().unwrap();
        assert_eq!(Experiment::parse(Path::new("c.toml"), &experiment.to_toml().unwrap()).unwrap(), experiment);
    }
}
