//! `graph_matching generate`: random pairs with their truth.

use super::memory::check_free;
use super::options::{GenerateOptions, Model};
use super::outputs::{check_places, say};
use crate::experiment::LooseFiles;
use birkhoff::error::{Error, Result};
use birkhoff::instance::{
    Instance, correlated_erdos_renyi, correlated_gaussian, noisy_copy, noisy_erdos_renyi, noisy_regular, rng,
};
use birkhoff::io::{GraphFile, GraphFormat, NamedGraph, write_graph, write_match};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Draws a pair and writes it.
pub(super) fn run(model: &Model) -> Result<()> {
    check_size(model)?;
    let mut rng = rng(model.output().rng_seed, 0);
    match model {
        Model::Er { n, p, rho, .. } => write(correlated_erdos_renyi(*n, *p, *rho, &mut rng)?, None, "edges", model),
        Model::Sparse { n, degree, noise, .. } => {
            write(noisy_erdos_renyi(*n, *degree, *noise, &mut rng)?, None, "edges", model)
        }
        Model::Regular { n, degree, noise, .. } => {
            write(noisy_regular(*n, *degree, *noise, &mut rng)?, None, "edges", model)
        }
        Model::Gaussian { n, rho, .. } => write(correlated_gaussian(*n, *rho, &mut rng)?, None, "csv", model),
        Model::Copy { graph, reading, removed, added, .. } => {
            let GraphFile { named, format, .. } = reading.reading(false).read(graph)?;
            let instance = noisy_copy(&named.graph, *removed, *added, &mut rng)?;
            let extension = match format {
                GraphFormat::GraphMl => "graphml",
                GraphFormat::Csv => "csv",
                // Matrix Market would lose the names that truth.csv speaks of, and the others are not written.
                _ => "edges",
            };
            write(instance, Some((named.names, graph)), extension, model)
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
            | Model::Copy { output, .. } => output,
        }
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
        };
        let version = json!(env!("CARGO_PKG_VERSION"));
        [("model", model), ("rng_seed", json!(self.output().rng_seed)), ("version", version)]
            .map(|(key, value)| (key.to_string(), value))
            .into_iter()
            .collect()
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

/// The names of a graph that was copied, and where it was read.
type Copied<'p> = (Vec<String>, &'p Path);

/// What manifests call this program.
const PROGRAM: &str = "graph_matching generate";

/// a.*, b.*, truth.csv, and a manifest by which the next pair knows them. B's vertices are "0", …, "n−1", and A's too
/// unless it has names.
fn write(instance: Instance, copied: Option<Copied>, extension: &str, model: &Model) -> Result<()> {
    let output = model.output();
    let folder = &output.output_dir;
    let (a, source) = match copied {
        Some((names, source)) => (NamedGraph::new(instance.a, names)?, Some(source)),
        None => (NamedGraph::numbered(instance.a), None),
    };
    let b = NamedGraph::numbered(instance.b);
    std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
    let names = [format!("a.{extension}"), format!("b.{extension}"), "truth.csv".to_string()];
    let names = names.each_ref().map(String::as_str);
    let [a_path, b_path, truth_path] = names.map(|name| folder.join(name));
    check_places(&[&a_path, &b_path, &truth_path], source)?;
    let files = LooseFiles::open(folder, PROGRAM, &names)?;
    write_graph(&a_path, &a, None, false)?;
    write_graph(&b_path, &b, None, false)?;
    let pairs = instance.truth.image().iter().enumerate();
    write_match(&truth_path, pairs.map(|(i, &j)| (a.names[i].as_str(), b.names[j].as_str())))?;
    files.list(&names, model.provenance())?;
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
