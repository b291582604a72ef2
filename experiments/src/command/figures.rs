//! The program `figures`.

use super::outputs;
use crate::experiment::figures::draw_all;
use birkhoff::error::Result;
use clap::Parser;
use std::path::PathBuf;

/// Draws every picture of the project from the files in results/ alone.
#[derive(Debug, Parser)]
#[command(name = "figures", version)]
pub struct Cli {
    /// Folder of the results
    #[arg(long, value_name = "FOLDER", default_value = "results")]
    pub results: PathBuf,
    /// Folder of the pictures
    #[arg(long, value_name = "FOLDER", default_value = "paper_figures")]
    pub output_dir: PathBuf,
    /// Nothing on standard output
    #[arg(short, long)]
    pub quiet: bool,
}

/// Draws.
///
/// # Errors
/// What is wrong with a file of the results, or with the folder that is written to.
pub fn run(cli: &Cli) -> Result<()> {
    let files = draw_all(&cli.results, &cli.output_dir)?;
    if !cli.quiet {
        outputs::say(&format!("{} files in {}\n", files.len(), cli.output_dir.display()))?;
    }
    Ok(())
}
