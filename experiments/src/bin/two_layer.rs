//! `two_layer`: the experiment on two-layer networks; `two_layer align` matches the hidden units of two networks given
//! by files.

use birkhoff_programs::command::{exit_code, two_layer};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    exit_code(two_layer::run(two_layer::Cli::parse()))
}
