//! The program's commands.

mod bench;
mod compare;
mod evaluate;
mod guard;
mod interrupt;
mod train;

use birkhoff::Result;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;

/// Trains ShuffleNet with learned channel shuffles.
#[derive(Debug, Parser)]
#[command(name = "autoshufflenet", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network, round its shuffles, and write the results into a folder
    #[command(args_override_self = true)]
    Train(train::Options),
    /// Accuracy of an exported network
    #[command(args_override_self = true)]
    Eval(evaluate::EvalOptions),
    /// Write a checkpoint or an exported network as safetensors, folded if asked for
    #[command(args_override_self = true)]
    Export(evaluate::ExportOptions),
    /// Train several kinds of shuffle with several seeds, paired, and compare them
    #[command(args_override_self = true)]
    Compare(compare::Options),
    /// Images per second, by kind of shuffle
    #[command(args_override_self = true)]
    Bench(bench::Options),
    /// Parameters and multiplications of every network, beside what its authors publish
    Count,
}

/// A configuration file, and flags over it.
#[derive(Debug, Args)]
struct Configuration {
    /// Settings as TOML; every key is a flag, too, and flags win
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: crate::settings::Settings,
}

/// How a run of the program ended, for its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is done.
    Complete,
    /// Interrupted, and saved.
    Interrupted,
}

/// Does what the command line says.
///
/// # Errors
/// What is wrong with the input, or with the place an output goes to.
pub fn run() -> Result<Exit> {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let none = ArgMatches::default();
    let matches = matches.subcommand().map_or(&none, |(_, matches)| matches);
    guard::guarded(|| match cli.command {
        Command::Train(options) => train::run(&options, matches),
        Command::Eval(options) => evaluate::eval(&options, matches).map(|()| Exit::Complete),
        Command::Export(options) => evaluate::export(&options, matches).map(|()| Exit::Complete),
        Command::Compare(options) => compare::run(&options, matches),
        Command::Bench(options) => bench::run(&options, matches).map(|()| Exit::Complete),
        Command::Count => count().map(|()| Exit::Complete),
    })
}

/// A line on standard output; where nobody reads it (`| head`), the files have all.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line on standard error, likewise.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn count() -> Result<()> {
    say("network   groups  width  multiplications (authors)  parameters (authors)");
    for (architecture, counts, [multiplications, parameters]) in crate::model::table()? {
        let groups = architecture.groups;
        say(&format!(
            "{:?}        {groups:>6}  {:>5}  {:>13.1} M ({multiplications:>5} M)  {:>7.2} M ({parameters} M)",
            architecture.version,
            architecture.width,
            counts.multiplications as f64 / 1e6,
            counts.parameters as f64 / 1e6,
        ));
    }
    Ok(())
}
