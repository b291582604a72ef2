//! An experiment, with what the command line overrides of its configuration.

use super::values::threads;
use super::{interrupt, outputs, search};
use crate::experiment::{Configuration, Part};
use birkhoff::error::Result;
use clap::Args;
use std::path::{Path, PathBuf};

const EXPERIMENT_EXAMPLES: &str = "\
Examples:
  graph_matching experiment
  graph_matching experiment experiments/graph_matching.toml --trials 5 --output-dir trial-results
  graph_matching experiment runs/graph_matching/config.toml       the very run that lies there";

/// Arguments of `graph_matching experiment`.
#[derive(Debug, Args)]
#[command(after_help = EXPERIMENT_EXAMPLES)]
pub struct ExperimentArguments {
    /// Configuration [default: the one built in, experiments/graph_matching.toml]
    pub config: Option<PathBuf>,
    /// What to override in it.
    #[command(flatten)]
    pub options: ExperimentOptions,
}

/// What overrides an experiment's configuration.
#[derive(Debug, Clone, Args)]
pub struct ExperimentOptions {
    /// Folder of the results, replaced once the run is complete [default: as configured, runs/ and the experiment's
    /// name]
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<PathBuf>,
    /// Threads that share the trials [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads())]
    pub threads: Option<u32>,
    /// Seed of everything random [default: as configured]
    #[arg(long, value_name = "N")]
    pub rng_seed: Option<u64>,
    /// Trials of each kind [default: as configured]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub trials: Option<u32>,
    /// Do every m-th job only, from the k-th on: what is done goes to the folder's `.partial`
    #[arg(long, value_name = "K/M", conflicts_with = "merge")]
    pub shard: Option<Part>,
    /// Write the results of shards that have done all jobs, their files together in the folder's `.partial`
    #[arg(long)]
    pub merge: bool,
    /// A small version of a few seconds, to see that everything works
    #[arg(long)]
    pub smoke: bool,
    /// No table on standard output, no progress on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// Runs an experiment: the one of the file, or the built-in one, with what the options replace.
pub(super) fn run<C: Configuration>(config: Option<&Path>, options: &ExperimentOptions) -> Result<()> {
    let mut experiment = match config {
        Some(path) => C::read(path)?,
        None => C::built_in()?,
    };
    if options.smoke {
        experiment.shrink();
    }
    experiment.set(options.output_dir.clone(), options.trials.map(|trials| trials as usize), options.rng_seed);
    let part = if options.merge { Part::Merge } else { options.shard.unwrap_or_default() };
    let work = || crate::experiment::run(&experiment, part, &interrupt::flag(), options.quiet);
    let table = search::in_pool(options.threads, work)??;
    if !options.quiet {
        outputs::say(&table)?;
    }
    Ok(())
}
