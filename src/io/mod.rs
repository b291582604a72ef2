//! Graphs, quadratic assignment problems, correspondences, matrices and networks' weights: read from files and written to them.
//!
//! Every reader exists twice: `read_*` takes a path (`-` is standard input) and `parse_*` takes the bytes,
//! with a name for the messages. Whatever the bytes are, the answer is a value or an [`Error`] that names
//! file, line and cause, and the memory used is at most a small multiple of the input and of what it
//! describes: sizes stated in a header are believed only once the data is there. Every writer goes through
//! [`write_atomically`], so that a file is there complete or not at all.
//!
//! Text is UTF-8, a byte order mark and `\r\n` are accepted. The formats of lines and fields (edge lists,
//! correspondences, CSV, triples) agree: fields are separated by spaces, tabs, commas or semicolons; a name
//! in double quotes may hold any of these, and `""` inside it is a double quote; a field that begins with
//! `#` or `%` begins a comment.

mod atomic;
mod correspondence;
mod edge_list;
mod edges;
mod graphml;
mod matrix;
mod matrix_market;
mod place;
mod qaplib;
mod similarity;
mod tensor;
mod text;

pub use atomic::{check_writable, write_atomically};
#[cfg(feature = "programs")]
pub(crate) use atomic::{keep_permissions, sync_folder};
pub use correspondence::{parse_pairs, read_pairs, read_truth, truth_from_pairs, write_match};
pub use edge_list::parse_edge_list;
pub use graphml::parse_graphml;
pub use matrix::{parse_csv_graph, parse_matrix, read_matrix, write_matrix};
pub use matrix_market::parse_matrix_market;
#[cfg(feature = "programs")]
pub(crate) use place::{Place, folder_of, follow, no_folder};
pub use qaplib::{
    QaplibInstance, QaplibSolution, parse_qaplib, parse_qaplib_solution, read_qaplib, read_qaplib_solution,
};
pub use similarity::{parse_similarity_matrix, parse_similarity_triples, read_similarity};
#[cfg(feature = "programs")]
pub(crate) use tensor::listed;
pub use tensor::{
    Tensor, TensorPath, is_safetensors, parse_npy, read_array, read_shapes, read_tensor, reorder_safetensors,
    write_safetensors,
};

use crate::error::{Error, Result};
use crate::graph::Graph;
use std::collections::HashMap;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

/// The most vertices a graph file may state without listing them: 10⁶.
///
/// A Matrix Market header `n n 0` of thirty bytes would otherwise make a reader allocate O(n) memory. The
/// limit costs nothing real, as this library's methods work with dense n × n matrices, 8 TB at this size.
pub const MAX_VERTICES: usize = 1_000_000;

/// The graph formats that can be read and written.
///
/// ```
/// use birkhoff::io::GraphFormat;
/// use std::path::Path;
/// assert_eq!(GraphFormat::from_path(Path::new("yeast.mtx")), GraphFormat::MatrixMarket);
/// assert_eq!("edge-list".parse::<GraphFormat>()?, GraphFormat::EdgeList);
/// assert_eq!(GraphFormat::GraphMl.to_string(), "graphml");
/// # Ok::<(), birkhoff::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GraphFormat {
    /// `u v [w]` a line; named `edge-list`. See [`parse_edge_list`].
    EdgeList,
    /// A square sparse or dense matrix; named `matrix-market`. See [`parse_matrix_market`].
    MatrixMarket,
    /// An XML format; named `graphml`. See [`parse_graphml`].
    GraphMl,
    /// The dense adjacency matrix, row by row; named `csv`. See [`parse_csv_graph`].
    Csv,
}

impl GraphFormat {
    /// All formats.
    pub const ALL: [GraphFormat; 4] =
        [GraphFormat::EdgeList, GraphFormat::MatrixMarket, GraphFormat::GraphMl, GraphFormat::Csv];

    /// The format that the extension of `path` says, in upper or lower case.
    ///
    /// | extension | format |
    /// |---|---|
    /// | `.mtx` | Matrix Market |
    /// | `.graphml`, `.xml` | GraphML |
    /// | `.csv` | dense matrix |
    /// | `.edges`, `.edgelist`, `.txt`, `.tsv`, `.el`, `.ncol`, any other, none, `-` | edge list |
    pub fn from_path(path: &Path) -> Self {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_ascii_lowercase();
        match extension.as_str() {
            "mtx" => GraphFormat::MatrixMarket,
            "graphml" | "xml" => GraphFormat::GraphMl,
            "csv" => GraphFormat::Csv,
            _ => GraphFormat::EdgeList,
        }
    }

    /// The name that [`GraphFormat::from_str`] understands.
    pub const fn name(self) -> &'static str {
        match self {
            GraphFormat::EdgeList => "edge-list",
            GraphFormat::MatrixMarket => "matrix-market",
            GraphFormat::GraphMl => "graphml",
            GraphFormat::Csv => "csv",
        }
    }
}

impl Display for GraphFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for GraphFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        GraphFormat::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names = GraphFormat::ALL.map(GraphFormat::name).join(", ");
            Error::argument("format", format!("{} is none of {names}", text::shown(name)))
        })
    }
}

/// A graph whose vertices have names, as files give them.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedGraph {
    /// The graph.
    pub graph: Graph,
    /// `names[i]` is the name of vertex i. All differ.
    pub names: Vec<String>,
}

impl NamedGraph {
    /// `graph` with the given names.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one name a vertex, [`Error::Argument`] when two are equal. O(n).
    pub fn new(graph: Graph, names: Vec<String>) -> Result<Self> {
        let n = graph.vertex_count();
        if names.len() != n {
            return Err(Error::shape("vertex names", n.to_string(), names.len().to_string()));
        }
        let named = NamedGraph { graph, names };
        if named.indices().len() < n {
            let mut seen = HashMap::new();
            let twice = named.names.iter().find(|name| seen.insert(name.as_str(), ()).is_some());
            let twice = twice.map_or(String::new(), |name| text::shown(name));
            return Err(Error::argument("names", format!("two vertices are called {twice}")));
        }
        Ok(named)
    }

    /// `graph` with the names "0", …, "n−1".
    pub fn numbered(graph: Graph) -> Self {
        let names = (0..graph.vertex_count()).map(|i| i.to_string()).collect();
        NamedGraph { graph, names }
    }

    /// The vertex called `name`. O(n); for many names build [`NamedGraph::indices`] once.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// The vertex of each name. O(n) to build, O(1) a look-up.
    pub fn indices(&self) -> HashMap<&str, usize> {
        self.names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect()
    }
}

/// Reads a graph; the format is the one that [`GraphFormat::from_path`] says unless `format` does.
///
/// `directed` says what the caller wants: with `false` an edge list is a list of undirected edges, and a
/// matrix or GraphML file whose graph is not symmetric is an error; with `true` an edge list is a list of
/// arcs, and an undirected file gives both arcs of each edge. `-` reads standard input, `<stdin>` in messages.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("path.edges");
/// std::fs::write(&path, "# a path\nanna bert\nbert carl 2.5\n").unwrap();
/// let named = birkhoff::io::read_graph(&path, None, false)?;
/// assert_eq!(named.names, ["anna", "bert", "carl"]);
/// assert_eq!(named.graph.weight(2, 1), 2.5);
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] when it cannot be read, [`Error::Parse`] and [`Error::File`] for what is wrong in it, a
/// graph without vertices included. O(bytes) time and memory.
pub fn read_graph(path: &Path, format: Option<GraphFormat>, directed: bool) -> Result<NamedGraph> {
    let (source, bytes) = text::read_source(path)?;
    parse_graph(&source, &bytes, format.unwrap_or_else(|| GraphFormat::from_path(path)), directed)
}

/// [`read_graph`] from memory; `source` names the bytes in messages.
///
/// # Errors
/// As [`read_graph`].
pub fn parse_graph(source: &Path, bytes: &[u8], format: GraphFormat, directed: bool) -> Result<NamedGraph> {
    match format {
        GraphFormat::EdgeList => parse_edge_list(source, bytes, directed),
        GraphFormat::MatrixMarket => parse_matrix_market(source, bytes, directed),
        GraphFormat::GraphMl => parse_graphml(source, bytes, directed),
        GraphFormat::Csv => parse_csv_graph(source, bytes, directed),
    }
}

/// Writes a graph, atomically; `-` is standard output, the format is chosen as in [`read_graph`].
///
/// Reading the file back with the same `directed` gives the same graph, weights exactly, with two exceptions:
/// Matrix Market has no place for names, which stand in comments and are read back as "1", …, "n"; and an edge
/// list whose names are all integers is read back in their ascending order.
///
/// # Errors
/// [`Error::File`] when the graph has no vertex, when a name is empty or holds a control character, when
/// `directed` is false but the graph is not symmetric; and as [`write_atomically`].
pub fn write_graph(path: &Path, graph: &NamedGraph, format: Option<GraphFormat>, directed: bool) -> Result<()> {
    let format = format.unwrap_or_else(|| GraphFormat::from_path(path));
    check_can_be_written(path, graph, directed)?;
    write_atomically(path, |file| match format {
        GraphFormat::EdgeList => edge_list::write(file, graph, directed),
        GraphFormat::MatrixMarket => matrix_market::write(file, graph, directed),
        GraphFormat::GraphMl => graphml::write(file, graph, directed),
        GraphFormat::Csv => matrix::write_graph(file, graph),
    })
}

fn check_can_be_written(path: &Path, named: &NamedGraph, directed: bool) -> Result<()> {
    let refuse = |cause: String| Err(Error::file(text::source_name(path, "<stdout>"), cause));
    if named.names.is_empty() {
        return refuse("a graph without vertices cannot be written".to_string());
    }
    if named.names.len() != named.graph.vertex_count() {
        return refuse(format!("{} names for {} vertices", named.names.len(), named.graph.vertex_count()));
    }
    // The two that are no control characters are not allowed in XML either.
    let unwritable = |c: char| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}');
    if let Some(name) = named.names.iter().find(|name| name.is_empty() || name.contains(unwritable)) {
        let cause = "a vertex name must have a character, and no control character";
        return refuse(format!("{} cannot be written: {cause}", text::shown(name)));
    }
    if !directed && !named.graph.is_symmetric() {
        return refuse("the graph is directed and cannot be written as an undirected one".to_string());
    }
    Ok(())
}

/// The edges of a symmetric graph once each if not `directed`, else all arcs.
fn listed_edges(graph: &Graph, directed: bool) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
    graph.arcs().filter(move |&(i, j, _)| directed || i <= j)
}

/// "3 vertices, 2 undirected edges": what writers put in a comment.
fn write_summary(file: &mut dyn Write, graph: &Graph, directed: bool) -> io::Result<()> {
    let (edges, kind) = (listed_edges(graph, directed).count(), if directed { "arcs" } else { "undirected edges" });
    write!(file, "{} vertices, {edges} {kind}", graph.vertex_count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_choose_the_format() {
        for (path, format) in [
            ("a.edges", GraphFormat::EdgeList),
            ("a.MTX", GraphFormat::MatrixMarket),
            ("a.graphml", GraphFormat::GraphMl),
            ("x/a.xml", GraphFormat::GraphMl),
            ("a.b.csv", GraphFormat::Csv),
            ("csv", GraphFormat::EdgeList),
            ("-", GraphFormat::EdgeList),
        ] {
            assert_eq!(GraphFormat::from_path(Path::new(path)), format, "{path}");
        }
    }

    #[test]
    fn format_names_are_read_back_and_others_are_refused() {
        for format in GraphFormat::ALL {
            assert_eq!(format.to_string().parse::<GraphFormat>().unwrap(), format);
        }
        let message = "gml".parse::<GraphFormat>().unwrap_err().to_string();
        assert_eq!(message, "format: 'gml' is none of edge-list, matrix-market, graphml, csv");
    }

    #[test]
    fn names_are_looked_up_and_must_differ() {
        let graph = Graph::undirected(2, [(0, 1, 1.0)]).unwrap();
        let named = NamedGraph::new(graph.clone(), vec!["x".into(), "y".into()]).unwrap();
        assert_eq!((named.index_of("y"), named.index_of("z")), (Some(1), None));
        assert_eq!(named.indices()["y"], 1);
        assert_eq!(NamedGraph::numbered(graph.clone()).names, ["0", "1"]);
        let twice = NamedGraph::new(graph.clone(), vec!["x".into(), "x".into()]).unwrap_err();
        assert_eq!(twice.to_string(), "names: two vertices are called 'x'");
        assert!(NamedGraph::new(graph, vec![]).unwrap_err().to_string().contains("expected 2, got 0"));
    }

    #[test]
    fn graphs_that_no_file_could_hold_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.edges");
        let arc = Graph::directed(2, [(0, 1, 1.0)]).unwrap();
        let named = |x: &str| NamedGraph { graph: arc.clone(), names: vec![x.to_string(), "y".to_string()] };
        for (graph, cause) in [
            (NamedGraph::numbered(Graph::directed(0, []).unwrap()), "without vertices"),
            (NamedGraph { graph: arc.clone(), names: vec![] }, "without vertices"),
            (NamedGraph { graph: arc.clone(), names: vec!["x".into()] }, "1 names for 2 vertices"),
            (named("a\nb"), "'a\\nb' cannot be written"),
            (named(""), "'' cannot be written"),
            (named("x"), "the graph is directed"),
        ] {
            let message = write_graph(&path, &graph, None, false).unwrap_err().to_string();
            assert!(message.contains("out.edges: ") && message.contains(cause), "{message}");
        }
        assert!(!path.exists());
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = read_graph(Path::new("nowhere/a.edges"), None, false).unwrap_err().to_string();
        assert!(message.starts_with("nowhere/a.edges: "), "{message}");
    }
}
