//! `graph_matching certify`: how near a matrix is to a permutation.

use super::outputs::{check_places, say, take_standard_output, write_json};
use birkhoff::certificate::{Certificate, FEASIBILITY, ROUNDING_RADIUS, Theorem, certify};
use birkhoff::error::{Error, Result};
use birkhoff::io::{TensorPath, write_match};
use birkhoff::permutation::Permutation;
use birkhoff::polytope::round;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

const CERTIFY_EXAMPLES: &str = "\
Examples:
  graph_matching certify x.csv
  graph_matching certify shuffle.npy --report report.json
  graph_matching certify model.safetensors:stage2.shuffle --output permutation.csv";

/// Arguments of `graph_matching certify`.
#[derive(Debug, Args)]
#[command(after_help = CERTIFY_EXAMPLES)]
pub struct CertifyArguments {
    /// A square matrix without negative entries: .csv, .npy, .npz:ARRAY or .safetensors:TENSOR; `-` is standard input
    pub matrix: String,
    /// Write the permutation as CSV `a,b`, counted from 0; `-` is standard output [default: not written]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the whole certificate as JSON [default: not written]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// No summary on standard output
    #[arg(short, long)]
    pub quiet: bool,
}

#[derive(Debug, Serialize)]
struct Report<'a> {
    version: &'static str,
    n: usize,
    rounding_is_unique: bool,
    /// The certified permutation, or the maximum assignment where none is certified.
    rounding: &'a Permutation,
    certificate: &'a Certificate,
}

/// Reads, certifies, writes.
pub(super) fn run(arguments: &CertifyArguments) -> Result<()> {
    let source = TensorPath::from(arguments.matrix.as_str());
    let given = source.read()?.matrix(&source.path)?;
    let at_file = |error: Error| Error::file(&source.path, error.to_string());
    if let Some(k) = given.iter().position(|&v| v < -FEASIBILITY).filter(|_| given.is_square()) {
        let (i, j) = (k % given.nrows(), k / given.nrows());
        let n = given.nrows();
        let cause = format!("entry ({i}, {j}) of the {n} x {n} matrix is {}, but must not be negative", given[k]);
        return Err(Error::file(&source.path, cause));
    }
    // What a computation leaves below 0 counts as 0: the theorems are about matrices without negative entries.
    let x = given.map(|v| v.max(0.0));
    let certificate = certify(&x).map_err(at_file)?;
    let rounding = match &certificate.permutation {
        Some(permutation) => permutation.clone(),
        None => round(&x).map_err(at_file)?,
    };
    let outputs: Vec<&Path> =
        [&arguments.output, &arguments.report].into_iter().flatten().map(|path| &**path).collect();
    check_places(&outputs, [source.path.as_path()])?;

    if let Some(path) = &arguments.output {
        let names: Vec<String> = (0..x.nrows()).map(|i| i.to_string()).collect();
        let pairs = rounding.image().iter().enumerate().map(|(i, &j)| (names[i].as_str(), names[j].as_str()));
        write_match(path, pairs)?;
    }
    if let Some(path) = &arguments.report {
        let report = Report {
            version: env!("CARGO_PKG_VERSION"),
            n: x.nrows(),
            rounding_is_unique: certificate.is_certified(),
            rounding: &rounding,
            certificate: &certificate,
        };
        write_json(path, &report)?;
    }
    if arguments.quiet || take_standard_output(&outputs) {
        return Ok(());
    }
    let negative = given.iter().filter(|&&v| v < 0.0).count();
    say(&(summary(&x, &certificate, &rounding) + &counted_as_zero(negative)))
}

fn counted_as_zero(negative: usize) -> String {
    match negative {
        0 => String::new(),
        1 => format!("negative      1 entry between -{FEASIBILITY:e} and 0 counts as 0\n"),
        _ => format!("negative      {negative} entries between -{FEASIBILITY:e} and 0 count as 0\n"),
    }
}

/// Images that are shown; a file holds them all.
const SHOWN: usize = 20;

fn summary(x: &nalgebra::DMatrix<f64>, certificate: &Certificate, rounding: &Permutation) -> String {
    let Certificate { penalty, residual, theorem, distance_at_least, distance_at_most, .. } = certificate;
    let n = x.nrows();
    let largest = 2.0 * (n as f64 - (n as f64).sqrt());
    let distance = match distance_at_most {
        Some(most) => format!("between {distance_at_least:.6} and {most:.6} (l1, to the nearest permutation)"),
        None => "no theorem bounds it: the sums are too far from 1".to_string(),
    };
    let verdict = match theorem {
        Some(Theorem::T2) => "unique, proved by T2: P < 4 - 2 sqrt 2 on the Birkhoff polytope".to_string(),
        Some(Theorem::T3) => "unique, proved by T3: every row and column is nearly hard".to_string(),
        Some(theorem) => format!("unique, proved by {theorem}"),
        None => format!(
            "not certified: T2 needs P < {ROUNDING_RADIUS:.5} and exact sums, T3 every row and column nearly hard"
        ),
    };
    let image = rounding.image().iter().take(SHOWN).map(usize::to_string).collect::<Vec<_>>().join(" ");
    let more = if n > SHOWN { " ..." } else { "" };
    format!(
        "matrix        {n} x {n}\n\
         residual      {residual:.3e} (largest violation of X >= 0 and sums 1)\n\
         penalty       {penalty:.6} of at most {largest:.6} on the Birkhoff polytope\n\
         distance      {distance}\n\
         rounding      {verdict}\n\
         permutation   {image}{more} (image of 0, 1, ...)\n"
    )
}
