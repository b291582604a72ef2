//! SIF, Cytoscape's simple interaction format.

use super::edges::{Kind, Rows};
use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::text::{decode, lines};
use super::vertices::Vertices;
use crate::error::{Error, Result};
use std::path::Path;

/// Reads a SIF file: a vertex, the kind of the interaction, and the vertices at its other end.
///
/// ```text
/// P1 pp P2          an edge
/// P1 pd P3 P4       two edges
/// P5                a vertex without edges
/// ```
///
/// If there is a tab anywhere, tabs alone part fields, else spaces do. There are no weights and no comments; kinds are
/// not read, so that two kinds between the same vertices repeat an edge. Vertices are in order of first appearance.
///
/// ```
/// let named = birkhoff::io::parse_sif("a.sif".as_ref(), b"P1 pp P2\nP1 pd P3 P4\n", false)?;
/// assert_eq!((named.names.len(), named.graph.edge_count()), (4, 3));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with the line of two fields, or of an empty one; [`Error::File`] when there is no vertex. O(bytes).
pub fn parse_sif(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = decode(source, bytes)?;
    let tabs = text.contains('\t');
    let (mut vertices, mut rows) = (Vertices::default(), Rows::default());
    for (line, content) in lines(&text).filter(|(_, content)| !content.trim().is_empty()) {
        let fields: Vec<&str> = if tabs {
            content.trim_end().split('\t').map(str::trim).collect()
        } else {
            content.split_whitespace().collect()
        };
        if fields.iter().any(|field| field.is_empty()) {
            return Err(Error::parse(source, line, "a field is empty"));
        }
        if fields.len() == 2 {
            return Err(Error::parse(
                source,
                line,
                "2 fields, but a line is `vertex interaction vertex ...` or `vertex`",
            ));
        }
        let u = vertices.vertex(fields[0]);
        for target in fields.iter().skip(2) {
            rows.add(line, (u, vertices.vertex(target)), 1.0);
        }
    }
    let kind = if reading.directed { Kind::Arcs } else { Kind::Edges };
    rows.into_file(source, GraphFormat::Sif, kind, vertices.into_names(), reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arcs(text: &str, directed: bool) -> Result<Vec<(String, String, f64)>> {
        let named = parse_sif(Path::new("a.sif"), text.as_bytes(), directed)?;
        let name = |i: usize| named.names[i].clone();
        Ok(named.graph.arcs().map(|(i, j, weight)| (name(i), name(j), weight)).collect())
    }

    #[test]
    fn a_line_may_have_several_targets_and_tabs_keep_spaces() {
        let found = arcs("P 1\tbinds to\tP 2\tP,3\n\nP 4\nP 2\tpp\tP 1\n", true).unwrap();
        let arc = |u: &str, v: &str| (u.to_string(), v.to_string(), 1.0);
        assert_eq!(found, [arc("P 1", "P 2"), arc("P 1", "P,3"), arc("P 2", "P 1")]);
        assert_eq!(arcs("a pp b  c \n", false).unwrap().len(), 4);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            ("a pp b\nb pp\n", "a.sif:2: 2 fields"),
            ("a\t\tb\n", "a.sif:1: a field is empty"),
            ("\n", "a.sif: the graph has no vertex"),
        ] {
            let message = arcs(text, false).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }
}
