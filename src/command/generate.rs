//! `graph_matching generate`: random pairs with their truth.

use super::inputs::check_free;
use super::options::{GenerateOptions, Model};
use super::outputs::say;
use crate::error::{Error, Result};
use crate::instance::{
    Instance, correlated_erdos_renyi, correlated_gaussian, noisy_copy, noisy_erdos_renyi, noisy_regular, rng,
};
use crate::io::{GraphFormat, NamedGraph, check_writable, read_graph, write_graph, write_match};

/// Draws a pair and writes it.
pub(super) fn run(model: &Model) -> Result<()> {
    let output = match model {
        Model::Er { output, .. }
        | Model::Sparse { output, .. }
        | Model::Regular { output, .. }
        | Model::Gaussian { output, .. }
        | Model::Copy { output, .. } => output,
    };
    check_size(model)?;
    let mut rng = rng(output.rng_seed, 0);
    match model {
        Model::Er { n, p, rho, .. } => write(correlated_erdos_renyi(*n, *p, *rho, &mut rng)?, None, "edges", output),
        Model::Sparse { n, degree, noise, .. } => {
            write(noisy_erdos_renyi(*n, *degree, *noise, &mut rng)?, None, "edges", output)
        }
        Model::Regular { n, degree, noise, .. } => {
            write(noisy_regular(*n, *degree, *noise, &mut rng)?, None, "edges", output)
        }
        Model::Gaussian { n, rho, .. } => write(correlated_gaussian(*n, *rho, &mut rng)?, None, "csv", output),
        Model::Copy { graph, format, removed, added, .. } => {
            let named = read_graph(graph, *format, false)?;
            let instance = noisy_copy(&named.graph, *removed, *added, &mut rng)?;
            let extension = match format.unwrap_or_else(|| GraphFormat::from_path(graph)) {
                GraphFormat::EdgeList => "edges",
                // Matrix Market would lose the names that truth.csv speaks of.
                GraphFormat::MatrixMarket => "edges",
                GraphFormat::GraphMl => "graphml",
                GraphFormat::Csv => "csv",
            };
            write(instance, Some(named.names), extension, output)
        }
    }
}

/// Bytes that an edge of a pair takes while it is drawn and written, about.
const EDGE: f64 = 300.0;

/// Refuses graphs whose edges do not fit into the memory that is free.
fn check_size(model: &Model) -> Result<()> {
    let edges = match model {
        Model::Er { n, p, .. } => 0.5 * p * (*n as f64).powi(2),
        Model::Sparse { n, degree, .. } => 0.5 * degree * *n as f64,
        Model::Regular { n, degree, .. } => 0.5 * *degree as f64 * *n as f64,
        Model::Gaussian { n, .. } => 0.5 * (*n as f64).powi(2),
        Model::Copy { .. } => return Ok(()),
    };
    check_free(EDGE * edges).map_err(|cause| Error::argument("n", format!("the graphs need {cause}")))
}

/// a.*, b.* and truth.csv. B's vertices are "0", …, "n−1", and A's too unless it has names.
fn write(instance: Instance, names: Option<Vec<String>>, extension: &str, output: &GenerateOptions) -> Result<()> {
    let folder = &output.output_dir;
    let a = match names {
        Some(names) => NamedGraph::new(instance.a, names)?,
        None => NamedGraph::numbered(instance.a),
    };
    let b = NamedGraph::numbered(instance.b);
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let [a_path, b_path] = ["a", "b"].map(|stem| folder.join(format!("{stem}.{extension}")));
    let truth_path = folder.join("truth.csv");
    [&a_path, &b_path, &truth_path].into_iter().try_for_each(|path| check_writable(path))?;
    write_graph(&a_path, &a, None, false)?;
    write_graph(&b_path, &b, None, false)?;
    let pairs = instance.truth.image().iter().enumerate();
    write_match(&truth_path, pairs.map(|(i, &j)| (a.names[i].as_str(), b.names[j].as_str())))?;
    say(&format!(
        "A: {} vertices, {} edges; B: {} edges; written to {}, {}, {}\n",
        a.names.len(),
        a.graph.edge_count(),
        b.graph.edge_count(),
        a_path.display(),
        b_path.display(),
        truth_path.display()
    ))
}
