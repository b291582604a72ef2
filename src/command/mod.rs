//! The program `graph_matching`: what each of its commands does. It knows the library; nothing in the library knows it.
//!
//! Bad input is an [`Error`](crate::Error) before anything is written; how a search ended is in its report.

mod generate;
mod inputs;
mod interrupt;
mod matching;
mod options;
mod outputs;
mod qap;
mod report;
mod search;
mod summary;
mod trace;

pub use options::{
    Cli, Command, ExperimentArguments, ExperimentOptions, GenerateArguments, GenerateOptions, MatchArguments, Model,
    QapArguments, SearchOptions, StartChoice,
};
pub use report::{Files, Report, RunReport};
pub use trace::TraceRow;

use crate::error::Result;
use crate::experiment::Experiment;
use std::path::Path;

/// Does what the command line says.
///
/// # Errors
/// What is wrong with the input, or with the place an output goes to.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Some(Command::Match(arguments)) => matching::run(&arguments),
        Some(Command::Qap(arguments)) => qap::run(&arguments),
        Some(Command::Generate(arguments)) => generate::run(&arguments.model),
        Some(Command::Experiment(arguments)) => experiment(arguments.config.as_deref(), &arguments.options),
        None => experiment(None, &cli.experiment),
    }
}

fn experiment(config: Option<&Path>, options: &ExperimentOptions) -> Result<()> {
    let mut experiment = match config {
        Some(path) => Experiment::read(path)?,
        None => Experiment::graph_matching()?,
    };
    experiment.rng_seed = options.rng_seed.unwrap_or(experiment.rng_seed);
    experiment.trials = options.trials.map_or(experiment.trials, |trials| trials as usize);
    experiment.output_dir = options.output_dir.clone().unwrap_or(experiment.output_dir);
    let table =
        search::in_pool(options.threads, || crate::experiment::run(&experiment, &interrupt::flag(), options.quiet))??;
    if !options.quiet {
        outputs::say(&table)?;
    }
    Ok(())
}
