//! The program `error_bounds`.

use super::experiment::{self, ExperimentOptions};
use crate::experiment::error_bounds::Experiment;
use birkhoff::error::Result;
use clap::Parser;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  error_bounds                                       a million matrices, in some minutes: table, folder, pictures
  error_bounds --smoke --output-dir trial            a few seconds
  error_bounds runs/error_bounds/config.toml         the very run that lies there

Exit codes: 0 done, 2 bad input or arguments (nothing is written), 130 a second Ctrl-C.";

/// Judges random matrices of all kinds by the theorems T0-T4, and searches for violations.
#[derive(Debug, Parser)]
#[command(name = "error_bounds", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Configuration [default: the one built in, experiments/error_bounds.toml]
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
    experiment::run::<Experiment>(cli.config.as_deref(), &cli.options)
}
