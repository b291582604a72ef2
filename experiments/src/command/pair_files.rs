//! The files of a generated pair: two graphs, the truth, perhaps a start, and a manifest.

use super::outputs::{check_places, say};
use crate::experiment::LooseFiles;
use birkhoff::Permutation;
use birkhoff::error::{Error, Result};
use birkhoff::io::{NamedGraph, write_edge_table, write_graph, write_match};
use serde_json::{Map, Value};
use std::path::Path;

/// What manifests call the program.
const PROGRAM: &str = "graph_matching generate";

/// How graphs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    EdgeList,
    /// A dense matrix as CSV.
    Matrix,
    GraphMl,
    /// Directed arcs as CSV with the header `From,To,Weight`.
    Table,
}

impl Form {
    fn extension(self) -> &'static str {
        match self {
            Form::EdgeList => "edges",
            Form::Matrix | Form::Table => "csv",
            Form::GraphMl => "graphml",
        }
    }
}

/// A pair that is to be written.
pub(super) struct PairFiles<'p> {
    a: NamedGraph,
    b: NamedGraph,
    truth: &'p Permutation,
    start: Option<&'p Permutation>,
    /// Where A was read.
    source: Option<&'p Path>,
    form: Form,
}

impl<'p> PairFiles<'p> {
    pub fn new(a: NamedGraph, b: NamedGraph, truth: &'p Permutation, form: Form) -> Self {
        PairFiles { a, b, truth, start: None, source: None, form }
    }

    /// With a start in start.csv.
    pub fn with_start(self, start: &'p Permutation) -> Self {
        PairFiles { start: Some(start), ..self }
    }

    /// None of the files may be `source`.
    pub fn beside(self, source: &'p Path) -> Self {
        PairFiles { source: Some(source), ..self }
    }

    /// a.*, b.*, truth.csv, start.csv if there is one, and a manifest by which the next pair knows them.
    ///
    /// # Errors
    /// [`Error::File`] where another file would be replaced; [`Error::Io`].
    pub fn write(&self, folder: &Path, provenance: Map<String, Value>) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let extension = self.form.extension();
        let mut names = vec![format!("a.{extension}"), format!("b.{extension}"), "truth.csv".to_string()];
        names.extend(self.start.map(|_| "start.csv".to_string()));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let paths: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
        check_places(&paths.iter().map(|path| &**path).collect::<Vec<_>>(), self.source)?;
        let files = LooseFiles::open(folder, PROGRAM, &names)?;
        for (path, graph) in paths.iter().zip([&self.a, &self.b]) {
            match self.form {
                Form::Table => write_edge_table(path, graph)?,
                _ => write_graph(path, graph, None, false)?,
            }
        }
        for (path, matching) in paths[2..].iter().zip([Some(self.truth), self.start].into_iter().flatten()) {
            self.write_pairs(path, matching)?;
        }
        files.list(&names, provenance)?;
        let written: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        say(&format!(
            "A: {} vertices, {} edges; B: {} edges; written to {}\n",
            self.a.names.len(),
            self.a.graph.edge_count(),
            self.b.graph.edge_count(),
            written.join(", ")
        ))
    }

    /// The pairs of `matching`; of vertices without arcs only where the graphs' files have them.
    fn write_pairs(&self, path: &Path, matching: &Permutation) -> Result<()> {
        let [in_a, in_b] = [&self.a, &self.b].map(|named| self.are_named(named));
        let pairs = matching.image().iter().enumerate().filter(|&(i, &j)| in_a[i] && in_b[j]);
        write_match(path, pairs.map(|(i, &j)| (self.a.names[i].as_str(), self.b.names[j].as_str())))
    }

    /// Whether each vertex is named in the graph's file.
    fn are_named(&self, NamedGraph { graph, names }: &NamedGraph) -> Vec<bool> {
        let mut is_named = vec![self.form != Form::Table; names.len()];
        if self.form == Form::Table {
            for (i, j, _) in graph.arcs() {
                (is_named[i], is_named[j]) = (true, true);
            }
        }
        is_named
    }
}
