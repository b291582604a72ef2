//! The program `graph_matching`: what each of its commands does. It knows the library; nothing in the library knows it.
//!
//! Bad input is an [`Error`](birkhoff::Error) before anything is written; how a search ended is in its report.

mod align;
mod certify;
pub mod error_bounds;
pub mod figures;
mod generate;
mod inputs;
mod interrupt;
mod layers;
mod manual;
mod matching;
mod memory;
mod options;
mod outputs;
mod qap;
mod report;
mod search;
mod summary;
mod trace;
pub mod two_layer;

pub use align::AlignArguments;
pub use manual::{CompletionsArguments, ManArguments, ManualCommand, Program};
pub use options::{
    CertifyArguments, Cli, Command, ExperimentArguments, ExperimentOptions, GenerateArguments, GenerateOptions,
    MatchArguments, Model, QapArguments, ReadingOptions, SearchOptions, StartChoice,
};
pub use report::{Files, GraphReport, Report, RunReport};
pub use trace::TraceRow;

use crate::experiment::graph_matching::Experiment;
use crate::experiment::{Configuration, Part};
use birkhoff::error::Result;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Does what the command line says.
///
/// # Errors
/// What is wrong with the input, or with the place an output goes to.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Some(Command::Match(arguments)) => matching::run(&arguments),
        Some(Command::Qap(arguments)) => qap::run(&arguments),
        Some(Command::Certify(arguments)) => certify::run(&arguments),
        Some(Command::Generate(arguments)) => generate::run(&arguments.model),
        Some(Command::Experiment(arguments)) => {
            experiment::<Experiment>(arguments.config.as_deref(), &arguments.options)
        }
        Some(Command::Manual(command)) => manual::run(&command),
        None => experiment::<Experiment>(None, &cli.experiment),
    }
}

/// Runs an experiment: the one of the file, or the built-in one, with what the options replace.
fn experiment<C: Configuration>(config: Option<&Path>, options: &ExperimentOptions) -> Result<()> {
    let mut experiment = match config {
        Some(path) => C::read(path)?,
        None => C::built_in()?,
    };
    if options.smoke {
        experiment.shrink();
    }
    experiment.set(options.output_dir.clone(), options.trials.map(|trials| trials as usize), options.rng_seed);
    let part = if options.merge { Part::Merge } else { options.shard.unwrap_or_default() };
    let run = || crate::experiment::run(&experiment, part, &interrupt::flag(), options.quiet);
    let table = search::in_pool(options.threads, run)??;
    if !options.quiet {
        outputs::say(&table)?;
    }
    Ok(())
}

/// Bad input or arguments: the code that clap's own usage errors have.
const BAD_INPUT: u8 = 2;

/// The exit code of a program: 0, or 2 and one line on standard error.
pub fn exit_code(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let message = error.to_string().lines().collect::<Vec<_>>().join(" ");
            // Where standard error is gone, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::from(BAD_INPUT)
        }
    }
}
