//! The program `graph_matching`: what each of its commands does. It knows the library; nothing in the library knows it.
//!
//! Bad input is an [`Error`](birkhoff::Error) before anything is written; how a search ended is in its report.

mod align;
mod certify;
mod cli;
pub mod error_bounds;
mod experiment;
pub mod figures;
mod generate;
mod inputs;
mod interrupt;
mod layers;
mod manual;
mod matching;
mod memory;
mod outputs;
mod pair_files;
mod qap;
mod reading;
mod report;
mod search;
mod search_options;
mod summary;
mod trace;
pub mod two_layer;
mod values;

pub use align::AlignArguments;
pub use certify::CertifyArguments;
pub use cli::{Cli, Command};
pub use experiment::{ExperimentArguments, ExperimentOptions};
pub use generate::{GenerateArguments, GenerateOptions, Model};
pub use manual::{CompletionsArguments, ManArguments, ManualCommand, Program};
pub use matching::MatchArguments;
pub use qap::QapArguments;
pub use reading::ReadingOptions;
pub use report::{Files, GraphReport, Report, RunReport};
pub use search_options::{SearchOptions, StartChoice};
pub use trace::TraceRow;

use crate::experiment::graph_matching::Experiment;
use birkhoff::error::Result;
use clap::CommandFactory;
use std::io::Write;
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
            experiment::run::<Experiment>(arguments.config.as_deref(), &arguments.options)
        }
        Some(Command::Manual(command)) => manual::run(&command, definition),
        None => experiment::run::<Experiment>(None, &cli.experiment),
    }
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

/// The definition of a program, with its name.
fn definition(program: Program) -> clap::Command {
    match program {
        Program::GraphMatching => Cli::command(),
        Program::TwoLayer => two_layer::Cli::command(),
        Program::ErrorBounds => error_bounds::Cli::command(),
        Program::Figures => figures::Cli::command(),
    }
}
