//! The program `two_layer`.

use super::align::{self, AlignArguments};
use super::experiment::{self, ExperimentOptions};
use crate::experiment::two_layer::Experiment;
use birkhoff::error::Result;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  two_layer                                          the experiment, in some minutes: table, folder, pictures
  two_layer --smoke --output-dir trial               a few seconds
  two_layer align a.safetensors b.safetensors -o b-aligned.safetensors

Exit codes: 0 done, 2 bad input or arguments (nothing is written), 130 a second Ctrl-C.";

/// Two-layer ReLU networks with a hidden permutation: measures the methods, and aligns the units of given networks.
#[derive(Debug, Parser)]
#[command(name = "two_layer", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; nothing means the default experiment.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of the default experiment.
    #[command(flatten)]
    pub experiment: ExperimentOptions,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Measure all methods on random networks; what the program does without a command
    Experiment(ExperimentArguments),
    /// Match the hidden units of two networks given only their weights
    Align(Box<AlignArguments>),
}

/// Arguments of `two_layer experiment`.
#[derive(Debug, Args)]
pub struct ExperimentArguments {
    /// Configuration [default: the one built in, experiments/two_layer.toml]
    pub config: Option<PathBuf>,
    /// What to override in it.
    #[command(flatten)]
    pub options: ExperimentOptions,
}

/// Does what the command line says.
///
/// # Errors
/// What is wrong with the input, or with the place an output goes to.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Some(Command::Experiment(arguments)) => {
            experiment::run::<Experiment>(arguments.config.as_deref(), &arguments.options)
        }
        Some(Command::Align(arguments)) => align::run(&arguments),
        None => experiment::run::<Experiment>(None, &cli.experiment),
    }
}
