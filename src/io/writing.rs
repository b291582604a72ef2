//! Graphs to files.

use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::text::{shown, source_name};
use super::{edge_list, graphml, matrix, matrix_market, write_atomically};
use crate::error::{Error, Result};
use std::path::Path;

/// Writes a graph, atomically; `-` is standard output, the format is the one that [`GraphFormat::from_path`] says
/// unless `format` does, and has to be one of [`GraphFormat::WRITTEN`].
///
/// Reading the file back with the same `directed` gives the same graph, weights exactly, with two exceptions:
/// Matrix Market has no place for names, which stand in comments and are read back as "1", …, "n"; and an edge
/// list whose names are all integers is read back in their ascending order.
///
/// # Errors
/// [`Error::File`] when the format is only read, when the graph has no vertex, when a name is empty or holds a control
/// character, when `directed` is false but the graph is not symmetric; and as [`write_atomically`].
pub fn write_graph(path: &Path, graph: &NamedGraph, format: Option<GraphFormat>, directed: bool) -> Result<()> {
    let format = format.unwrap_or_else(|| GraphFormat::from_path(path));
    check_can_be_written(path, graph, format, directed)?;
    write_atomically(path, |file| match format {
        GraphFormat::MatrixMarket => matrix_market::write(file, graph, directed),
        GraphFormat::GraphMl => graphml::write(file, graph, directed),
        GraphFormat::Csv => matrix::write_graph(file, graph),
        _ => edge_list::write(file, graph, directed),
    })
}

fn check_can_be_written(path: &Path, named: &NamedGraph, format: GraphFormat, directed: bool) -> Result<()> {
    let refuse = |cause: String| Err(Error::file(source_name(path, "<stdout>"), cause));
    if !GraphFormat::WRITTEN.contains(&format) {
        let written = GraphFormat::WRITTEN.map(GraphFormat::name).join(", ");
        return refuse(format!("{format} is read, but not written; {written} are"));
    }
    check_names(path, named)?;
    if !directed && !named.graph.is_symmetric() {
        return refuse("the graph is directed and cannot be written as an undirected one".to_string());
    }
    Ok(())
}

/// Refuses names that no file of text could hold.
pub(super) fn check_names(path: &Path, named: &NamedGraph) -> Result<()> {
    let refuse = |cause: String| Err(Error::file(source_name(path, "<stdout>"), cause));
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
        return refuse(format!("{} cannot be written: {cause}", shown(name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn graphs_that_no_file_could_hold_are_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.edges");
        let arc = Graph::directed(2, [(0, 1, 1.0)]).unwrap();
        let named = |x: &str| NamedGraph { graph: arc.clone(), names: vec![x.to_string(), "y".to_string()] };
        for (graph, format, cause) in [
            (NamedGraph::numbered(Graph::directed(0, []).unwrap()), None, "without vertices"),
            (NamedGraph { graph: arc.clone(), names: vec![] }, None, "without vertices"),
            (NamedGraph { graph: arc.clone(), names: vec!["x".into()] }, None, "1 names for 2 vertices"),
            (named("a\nb"), None, "'a\\nb' cannot be written"),
            (named(""), None, "'' cannot be written"),
            (named("x"), None, "the graph is directed"),
            (named("x"), Some(GraphFormat::Gml), "gml is read, but not written; edge-list, "),
        ] {
            let message = write_graph(&path, &graph, format, false).unwrap_err().to_string();
            assert!(message.contains("out.edges: ") && message.contains(cause), "{message}");
        }
        assert!(!path.exists());
    }
}
