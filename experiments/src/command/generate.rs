//! `graph_matching generate`: random pairs with their truth.

use super::memory::check_free;
use super::outputs::say;
use super::pair_files::{Form, PairFiles};
use super::reading::ReadingOptions;
use birkhoff::error::{Error, Result};
use birkhoff::instance::{
    Connectomes, Instance, chung_lu, configuration, connectome, correlated_erdos_renyi, correlated_gaussian, mesh,
    noisy_copy, noisy_erdos_renyi, noisy_regular, rng,
};
use birkhoff::io::{GraphFile, GraphFormat, NamedGraph};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

const GENERATE_EXAMPLES: &str = "\
Examples:
  graph_matching generate er --n 100 --p 0.5 --rho 0.8 --output-dir pair
  graph_matching generate sparse --n 500 --degree 4 --noise 0.25 --rng-seed 7 --output-dir pair
  graph_matching generate regular --n 500 --degree 10 --noise 0.1 --output-dir pair
  graph_matching generate gaussian --n 50 --rho 0.9 --output-dir pair
  graph_matching generate copy yeast.edges --removed 0.05 --added 0.05 --output-dir pair
  graph_matching generate power-law --n 100000 --degree 8 --removed 0.05 --output-dir pair
  graph_matching generate power-law --n 100000 --least-degree 3 --removed 0.05 --output-dir pair
  graph_matching generate mesh --side 250 --removed 0.05 --output-dir pair
  graph_matching generate connectome --output-dir pair";

/// Arguments of `graph_matching generate`.
#[derive(Debug, Args)]
#[command(after_help = GENERATE_EXAMPLES)]
pub struct GenerateArguments {
    /// The model.
    #[command(subcommand)]
    pub model: Model,
}

/// A random pair of graphs.
#[derive(Debug, Subcommand)]
pub enum Model {
    /// Correlated Erdős-Rényi graphs: each pair is an edge of A and of B with probability p, with correlation rho
    Er {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Probability of an edge
        #[arg(long, default_value_t = 0.5)]
        p: f64,
        /// Correlation of A's and B's edges, 0 to 1
        #[arg(long)]
        rho: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// Sparse Erdős-Rényi graphs of a given mean degree; an edge survives with probability 1 - noise, densities equal
    Sparse {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Mean degree
        #[arg(long)]
        degree: f64,
        /// Probability that an edge of A is none of B, 0 to 1
        #[arg(long)]
        noise: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// A random regular graph and a noisy copy; an edge survives with probability 1 - noise, densities equal
    Regular {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Degree of every vertex of A
        #[arg(long)]
        degree: usize,
        /// Probability that an edge of A is none of B, 0 to 1
        #[arg(long)]
        noise: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// Correlated Gaussian matrices, written as dense CSV
    Gaussian {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Correlation of A's and B's weights, -1 to 1
        #[arg(long, allow_negative_numbers = true)]
        rho: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// A given graph and a noisy copy of it with its vertices renamed
    Copy {
        /// The graph; `-` is standard input
        graph: PathBuf,
        /// How its file is understood.
        #[command(flatten)]
        reading: ReadingOptions,
        /// Probability that an edge is lost, 0 to 1
        #[arg(long, default_value_t = 0.0)]
        removed: f64,
        /// New edges, as a share of the old ones
        #[arg(long, default_value_t = 0.0, value_parser = share_of_edges)]
        added: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// A graph with power-law degrees and a noisy copy
    #[command(group = ArgGroup::new("law").required(true))]
    PowerLaw {
        /// Vertices
        #[arg(long)]
        n: usize,
        /// Exponent of the degrees' distribution, 2 to 100
        #[arg(long, default_value_t = 2.5)]
        exponent: f64,
        /// Mean degree: edges are drawn by the vertices' propensities (Chung and Lu)
        #[arg(long, group = "law")]
        degree: Option<f64>,
        /// Least degree: degrees are drawn, and half-edges paired (the configuration model)
        #[arg(long, group = "law")]
        least_degree: Option<usize>,
        /// Probability that an edge is lost, 0 to 1
        #[arg(long, default_value_t = 0.0)]
        removed: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// A grid with a random diagonal in each cell and a noisy copy
    Mesh {
        /// Vertices along each side
        #[arg(long)]
        side: usize,
        /// Probability that an edge is lost, 0 to 1
        #[arg(long, default_value_t = 0.0)]
        removed: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
    /// Directed graphs like two connectomes, of the size and the published statistics of FlyWire's matching challenge;
    /// synthetic. Tables of `From,To,Weight`, and a start.csv that is right in part
    Connectome {
        /// Vertices
        #[arg(long, default_value_t = Connectomes::N)]
        n: usize,
        /// Arcs of A, as a share of n squared, to 0.1
        #[arg(long, default_value_t = Connectomes::DENSITY_A)]
        density_a: f64,
        /// Arcs of B, as a share of n squared; no more than A's
        #[arg(long, default_value_t = Connectomes::DENSITY_B)]
        density_b: f64,
        /// Share of the weight kept by the truth that the start keeps, 0.5 to 1
        #[arg(long, default_value_t = Connectomes::START_KEEPS)]
        start_keeps: f64,
        /// Where to.
        #[command(flatten)]
        output: GenerateOptions,
    },
}

/// Where a generated pair goes.
#[derive(Debug, Args)]
pub struct GenerateOptions {
    /// Seed of the random graphs: the same seed gives the same files
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub rng_seed: u64,
    /// Folder for a.*, b.*, truth.csv and a manifest; made if it is not there. An earlier pair in it is replaced,
    /// another file is not
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: PathBuf,
}

/// More new edges than this share fit into no graph that is worth it; far more would overflow their number.
fn share_of_edges(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1e6).contains(&value) => Ok(value),
        _ => Err("not a number between 0 and 1e6".to_string()),
    }
}

/// Draws a pair and writes it.
pub(super) fn run(model: &Model) -> Result<()> {
    check_size(model)?;
    let mut rng = rng(model.output().rng_seed, 0);
    match model {
        Model::Er { n, p, rho, .. } => model.write(correlated_erdos_renyi(*n, *p, *rho, &mut rng)?, Form::EdgeList),
        Model::Sparse { n, degree, noise, .. } => {
            model.write(noisy_erdos_renyi(*n, *degree, *noise, &mut rng)?, Form::EdgeList)
        }
        Model::Regular { n, degree, noise, .. } => {
            model.write(noisy_regular(*n, *degree, *noise, &mut rng)?, Form::EdgeList)
        }
        Model::Gaussian { n, rho, .. } => model.write(correlated_gaussian(*n, *rho, &mut rng)?, Form::Matrix),
        Model::Copy { graph, reading, removed, added, .. } => {
            let GraphFile { named, format, .. } = reading.reading(false).read(graph)?;
            let Instance { a, b, truth } = noisy_copy(&named.graph, *removed, *added, &mut rng)?;
            let form = match format {
                GraphFormat::GraphMl => Form::GraphMl,
                GraphFormat::Csv => Form::Matrix,
                // Matrix Market would lose the names that truth.csv speaks of, and the others are not written.
                _ => Form::EdgeList,
            };
            let files = PairFiles::new(NamedGraph::new(a, named.names)?, NamedGraph::numbered(b), &truth, form);
            files.beside(graph).write(&model.output().output_dir, model.provenance())
        }
        Model::PowerLaw { n, exponent, degree, least_degree, removed, .. } => {
            let graph = match (degree, least_degree) {
                (Some(degree), _) => chung_lu(*n, *degree, *exponent, &mut rng)?,
                (None, least_degree) => configuration(*n, least_degree.unwrap_or(1), *exponent, &mut rng)?,
            };
            model.write(noisy_copy(&graph, *removed, 0.0, &mut rng)?, Form::EdgeList)
        }
        Model::Mesh { side, removed, .. } => {
            let graph = mesh(*side, &mut rng)?;
            model.write(noisy_copy(&graph, *removed, 0.0, &mut rng)?, Form::EdgeList)
        }
        Model::Connectome { n, density_a, density_b, start_keeps, .. } => {
            let pair = connectome(*n, *density_a, *density_b, *start_keeps, &mut rng)?;
            let [of_truth, of_start] = [&pair.instance.truth, &pair.start].map(|matching| pair.share_kept(matching));
            let Connectomes { instance: Instance { a, b, truth }, start } = pair;
            let name = |letter: char| (0..*n).map(|i| format!("{letter}{i}")).collect();
            let (a, b) = (NamedGraph::new(a, name('m'))?, NamedGraph::new(b, name('f'))?);
            let files = PairFiles::new(a, b, &truth, Form::Table).with_start(&start);
            files.write(&model.output().output_dir, model.provenance())?;
            say(&format!("of B's weight, the truth keeps {of_truth:.3}, the start {of_start:.3}\n"))
        }
    }
}

impl Model {
    fn output(&self) -> &GenerateOptions {
        match self {
            Model::Er { output, .. }
            | Model::Sparse { output, .. }
            | Model::Regular { output, .. }
            | Model::Gaussian { output, .. }
            | Model::Copy { output, .. }
            | Model::PowerLaw { output, .. }
            | Model::Mesh { output, .. }
            | Model::Connectome { output, .. } => output,
        }
    }

    /// Writes a pair whose vertices are called "0", …, "n−1".
    fn write(&self, Instance { a, b, truth }: Instance, form: Form) -> Result<()> {
        let files = PairFiles::new(NamedGraph::numbered(a), NamedGraph::numbered(b), &truth, form);
        files.write(&self.output().output_dir, self.provenance())
    }

    /// What a pair's manifest says of it: the same pair has the same one.
    fn provenance(&self) -> Map<String, Value> {
        let model = match self {
            Model::Er { n, p, rho, .. } => json!({ "name": "er", "n": n, "p": p, "rho": rho }),
            Model::Sparse { n, degree, noise, .. } => {
                json!({ "name": "sparse", "n": n, "degree": degree, "noise": noise })
            }
            Model::Regular { n, degree, noise, .. } => {
                json!({ "name": "regular", "n": n, "degree": degree, "noise": noise })
            }
            Model::Gaussian { n, rho, .. } => json!({ "name": "gaussian", "n": n, "rho": rho }),
            Model::Copy { removed, added, .. } => json!({ "name": "copy", "removed": removed, "added": added }),
            Model::PowerLaw { n, exponent, degree, least_degree, removed, .. } => json!({
                "name": "power-law", "n": n, "exponent": exponent, "degree": degree, "least_degree": least_degree,
                "removed": removed,
            }),
            Model::Mesh { side, removed, .. } => json!({ "name": "mesh", "side": side, "removed": removed }),
            Model::Connectome { n, density_a, density_b, start_keeps, .. } => json!({
                "name": "connectome", "n": n, "density_a": density_a, "density_b": density_b,
                "start_keeps": start_keeps,
            }),
        };
        let version = json!(env!("CARGO_PKG_VERSION"));
        [("model", model), ("rng_seed", json!(self.output().rng_seed)), ("version", version)]
            .map(|(key, value)| (key.to_string(), value))
            .into_iter()
            .collect()
    }
}

/// Bytes that an edge of a pair takes while it is drawn and written, about; and an arc of a connectome.
const EDGE: f64 = 300.0;
const ARC: f64 = 150.0;

/// Refuses graphs whose edges do not fit into the memory that is free.
fn check_size(model: &Model) -> Result<()> {
    let bytes = match model {
        Model::Er { n, p, .. } => EDGE * 0.5 * p * (*n as f64).powi(2),
        Model::Sparse { n, degree, .. } => EDGE * 0.5 * degree * *n as f64,
        Model::Regular { n, degree, .. } => EDGE * 0.5 * *degree as f64 * *n as f64,
        Model::Gaussian { n, .. } => EDGE * 0.5 * (*n as f64).powi(2),
        Model::PowerLaw { n, degree: Some(degree), .. } => EDGE * 0.5 * degree * *n as f64,
        // Three times the least degree is their mean where the exponent is 2.5.
        Model::PowerLaw { n, least_degree, .. } => EDGE * 1.5 * least_degree.unwrap_or(1) as f64 * *n as f64,
        Model::Mesh { side, .. } => EDGE * 3.0 * (*side as f64).powi(2),
        Model::Connectome { n, density_a, .. } => ARC * density_a.min(Connectomes::DENSEST) * (*n as f64).powi(2),
        Model::Copy { .. } => return Ok(()),
    };
    let size = if matches!(model, Model::Mesh { .. }) { "side" } else { "n" };
    check_free(bytes).map_err(|cause| Error::argument(size, format!("the graphs need {cause}")))
}
