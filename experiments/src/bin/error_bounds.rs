//! `error_bounds`: matrices of all kinds against the theorems T0–T4, and a search for violations.

use birkhoff_programs::command::{error_bounds, exit_code};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    exit_code(error_bounds::run(error_bounds::Cli::parse()))
}
