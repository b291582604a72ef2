//! Graphs from files: which reader a file is for.

use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::recognition::recognize;
use super::source::read_source;
use super::{edge_list, gml, graphml, leda, matrix, matrix_market, npy, npz, sif};
use crate::error::Result;
use std::path::Path;

impl Reading {
    /// Reads a graph; `-` is standard input, `<stdin>` in messages. What gzip has compressed is unpacked.
    ///
    /// Without a [`format`](Reading::format) the content decides, and the extension where the content leaves a choice.
    /// A format that is not read (GEXF, Pajek, graph6, Excel, pickles, …) is an error that names it.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) when it cannot be read, [`Error::Parse`](crate::Error::Parse) and
    /// [`Error::File`](crate::Error::File) for what is wrong in it, a graph without vertices included. O(bytes) time
    /// and memory.
    pub fn read(&self, path: &Path) -> Result<GraphFile> {
        let (source, bytes) = read_source(path)?;
        self.parse(&source, &bytes)
    }

    /// [`read`](Reading::read) from memory; `source` names the bytes in messages, and its extension counts.
    ///
    /// # Errors
    /// As [`read`](Reading::read).
    pub fn parse(&self, source: &Path, bytes: &[u8]) -> Result<GraphFile> {
        let format = match self.format {
            Some(format) => format,
            None => recognize(source, bytes)?,
        };
        match format {
            GraphFormat::EdgeList => edge_list::read(source, bytes, self),
            GraphFormat::MatrixMarket => matrix_market::read(source, bytes, self),
            GraphFormat::GraphMl => graphml::read(source, bytes, self),
            GraphFormat::Csv => matrix::read(source, bytes, self),
            GraphFormat::Gml => gml::read(source, bytes, self),
            GraphFormat::Leda => leda::read(source, bytes, self),
            GraphFormat::Sif => sif::read(source, bytes, self),
            GraphFormat::Npy => npy::read(source, bytes, self),
            GraphFormat::Npz => npz::read(source, bytes, self),
        }
    }
}

/// Reads a graph: [`Reading::read`] with all but these two by default.
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
/// As [`Reading::read`].
pub fn read_graph(path: &Path, format: Option<GraphFormat>, directed: bool) -> Result<NamedGraph> {
    Reading { format, ..Reading::new(directed) }.read(path).map(|file| file.named)
}

/// [`read_graph`] from memory, in a given format; `source` names the bytes in messages.
///
/// # Errors
/// As [`read_graph`].
pub fn parse_graph(source: &Path, bytes: &[u8], format: GraphFormat, directed: bool) -> Result<NamedGraph> {
    Reading { format: Some(format), ..Reading::new(directed) }.parse(source, bytes).map(|file| file.named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let message = read_graph(Path::new("nowhere/a.edges"), None, false).unwrap_err().to_string();
        assert!(message.starts_with("nowhere/a.edges: "), "{message}");
    }
}
