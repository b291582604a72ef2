//! Arcs as a table with the header `From,To,Weight`: how connectomes are given out.

use super::fields::quote;
use super::named_graph::NamedGraph;
use super::text::number;
use super::write_atomically;
use super::writing::check_names;
use crate::error::Result;
use std::path::Path;

/// Writes the arcs of a graph, atomically, a row each, under the header `From,To,Weight`, by source and then target.
///
/// Any reader of edge lists reads it, [`read_graph`](super::read_graph) with `directed`. Such a table has no place for
/// a vertex without arcs: it is not in the file.
///
/// ```
/// use birkhoff::{Graph, io::{NamedGraph, write_edge_table}};
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("a.csv");
/// let graph = Graph::directed(2, [(0, 1, 3.0), (1, 0, 2.0)])?;
/// write_edge_table(&path, &NamedGraph::new(graph, vec!["m0".into(), "m 1".into()])?)?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "From,To,Weight\nm0,\"m 1\",3\n\"m 1\",m0,2\n");
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::File`](crate::Error::File) when a name is empty or holds a control character, or the graph has no vertex;
/// and as [`write_atomically`].
pub fn write_edge_table(path: &Path, named: &NamedGraph) -> Result<()> {
    check_names(path, named)?;
    let names: Vec<_> = named.names.iter().map(|name| quote(name)).collect();
    write_atomically(path, |file| {
        writeln!(file, "From,To,Weight")?;
        named.graph.arcs().try_for_each(|(i, j, weight)| writeln!(file, "{},{},{}", names[i], names[j], number(weight)))
    })
}
