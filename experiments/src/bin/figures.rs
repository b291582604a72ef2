//! `figures`: every picture of the project from the files in results/, into paper_figures/.

use birkhoff_programs::command::exit_code;
use birkhoff_programs::command::figures::{Cli, run};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    exit_code(run(&Cli::parse()))
}
