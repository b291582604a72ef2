//! The command line of `graph_matching`: its commands. What each takes stands beside it.

use super::certify::CertifyArguments;
use super::experiment::{ExperimentArguments, ExperimentOptions};
use super::generate::GenerateArguments;
use super::matching::MatchArguments;
use super::qap::QapArguments;
use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  graph_matching                                    the correlated Erdős-Rényi experiment, in under a minute
  graph_matching match a.edges b.edges -o match.csv match two graphs
  graph_matching match a.mtx b.mtx --truth truth.csv --report report.json --plot path.svg
  graph_matching qap tai20a.dat --solution tai20a.sln --restarts 10
  graph_matching generate er --n 100 --rho 0.8 --output-dir pair

Exit codes: 0 done (also when a time limit or Ctrl-C ended the search: the best answer so far is written),
2 bad input or arguments (nothing is written), 130 a second Ctrl-C.";

/// Finds the permutation that matches two graphs, or solves a QAP, and says how good it provably is.
#[derive(Debug, Parser)]
#[command(name = "graph_matching", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
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
    /// Match two graphs given by files
    Match(Box<MatchArguments>),
    /// Minimize a quadratic assignment problem in the format of QAPLIB
    Qap(Box<QapArguments>),
    /// Say how near a matrix is to a permutation, and whether its rounding is proved unique
    Certify(CertifyArguments),
    /// Write a random pair of graphs and its hidden correspondence: a.*, b.*, truth.csv
    Generate(GenerateArguments),
    /// Measure all methods on correlated random graphs; what the program does without a command
    Experiment(ExperimentArguments),
    /// Completions and manual pages
    #[command(flatten)]
    Manual(super::ManualCommand),
}

#[cfg(test)]
mod tests {
    use super::*;
    use birkhoff::recovery::Method;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent_and_every_option_has_a_help_line() {
        Cli::command().debug_assert();
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} of {}", argument.get_id(), command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn every_method_has_its_name_on_the_command_line() {
        for method in Method::ALL {
            let cli = Cli::try_parse_from(["graph_matching", "match", "a", "b", "--method", method.name()]).unwrap();
            let Some(Command::Match(arguments)) = cli.command else { panic!("not match") };
            assert_eq!(arguments.search.method, method);
        }
    }
}
