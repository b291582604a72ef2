//! `graph_matching`: two graph files to a certified matching; without an argument, the correlated Erdős–Rényi
//! experiment.

use birkhoff_programs::command::{Cli, exit_code, run};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    exit_code(run(Cli::parse()))
}
