//! What shells and `man` know of the programs: completions and manual pages, made from the definitions of clap.

use super::outputs::say;
use birkhoff::error::{Error, Result};
use birkhoff::io::write_atomically;
use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use std::path::PathBuf;

/// What is made.
#[derive(Debug, Subcommand)]
pub enum ManualCommand {
    /// Print what a shell needs to complete a program's commands and options
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArguments),
    /// Print a program's manual page, or write those of all programs and their commands
    #[command(after_help = MAN_EXAMPLES)]
    Man(ManArguments),
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  graph_matching completions bash > ~/.local/share/bash-completion/completions/graph_matching
  graph_matching completions fish two_layer > ~/.config/fish/completions/two_layer.fish
scripts/install puts all of them into their places.";

const MAN_EXAMPLES: &str = "\
Examples:
  graph_matching man | man -l -
  graph_matching man --output-dir ~/.local/share/man/man1
scripts/install puts all of them into their places.";

/// Arguments of `graph_matching completions`.
#[derive(Debug, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: Shell,
    /// The program that is completed
    #[arg(default_value = "graph_matching")]
    pub program: Program,
}

/// Arguments of `graph_matching man`.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// The program that the page is about
    #[arg(default_value = "graph_matching", conflicts_with = "output_dir")]
    pub program: Program,
    /// Folder for the pages of all programs and their commands, `graph_matching.1`, `graph_matching-match.1` and so on;
    /// made if it is not there. Pages of these names are replaced
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<PathBuf>,
}

/// The programs.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Program {
    /// Matches graphs, solves QAPs, certifies matrices
    GraphMatching,
    /// Two-layer networks: the experiment, and alignment
    TwoLayer,
    /// Matrices against the theorems
    ErrorBounds,
    /// The pictures of the paper
    Figures,
}

/// The definition of a program, with its name.
type Definition = fn(Program) -> clap::Command;

/// Prints, or writes the pages.
pub(super) fn run(command: &ManualCommand, definition: Definition) -> Result<()> {
    match command {
        ManualCommand::Completions(CompletionsArguments { shell, program }) => {
            let mut definition = definition(*program);
            let name = definition.get_name().to_string();
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut definition, name, &mut script);
            say(&String::from_utf8_lossy(&script))
        }
        ManualCommand::Man(ManArguments { program, output_dir: None }) => {
            let page = &pages(definition(*program))[0].1;
            say(&String::from_utf8_lossy(page))
        }
        ManualCommand::Man(ManArguments { output_dir: Some(folder), .. }) => {
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
            for (name, page) in Program::value_variants().iter().flat_map(|&program| pages(definition(program))) {
                write_atomically(&folder.join(name), |file| file.write_all(&page))?;
            }
            Ok(())
        }
    }
}

/// The pages of a program and of all its commands, with their files' names; that of the program first.
fn pages(definition: clap::Command) -> Vec<(String, Vec<u8>)> {
    fn add(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
        let man = Man::new(command.clone());
        let mut page = Vec::new();
        man.render(&mut page).expect("memory takes all");
        pages.push((man.get_filename(), page));
        command.get_subcommands().for_each(|inner| add(inner, pages));
    }
    let (mut definition, mut all) = (definition.disable_help_subcommand(true), Vec::new());
    definition.build();
    add(&definition, &mut all);
    all
}
