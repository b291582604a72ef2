//! The edges of a graph as writers list them.

use crate::graph::Graph;
use std::io::{self, Write};

/// The edges of a symmetric graph once each if not `directed`, else all arcs.
pub(super) fn listed_edges(graph: &Graph, directed: bool) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
    graph.arcs().filter(move |&(i, j, _)| directed || i <= j)
}

/// "3 vertices, 2 undirected edges": what writers put in a comment.
pub(super) fn write_summary(file: &mut dyn Write, graph: &Graph, directed: bool) -> io::Result<()> {
    let (edges, kind) = (listed_edges(graph, directed).count(), if directed { "arcs" } else { "undirected edges" });
    write!(file, "{} vertices, {edges} {kind}", graph.vertex_count())
}
