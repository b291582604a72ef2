//! LEDA's native format (`.gw`), in which SANA, MAGNA++, L-GRAAL and others keep protein networks.

use super::edges::{Kind, Rows};
use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::text::{decode, finite, lines, shown};
use super::vertices::Vertices;
use crate::error::{Error, Result};
use std::path::Path;

/// Reads a graph in LEDA's native format.
///
/// ```text
/// LEDA.GRAPH
/// string        the type of the vertices' labels
/// double        the type of the edges' labels
/// -2            -1 directed, -2 undirected; older files leave this line out
/// 2             vertices, then one label a line
/// |{anna}|
/// |{bert}|
/// 1             edges, then source, target, reversal (not read) and label
/// 1 2 0 |{2.5}|
/// ```
///
/// Vertices are called by their labels, or by their numbers 1, …, n if all labels are empty. The label of an edge is
/// its weight where its type is a type of numbers and the label is not empty; else the weight is 1. Lines that begin
/// with `#` are comments.
///
/// ```
/// let text = b"LEDA.GRAPH\nstring\ndouble\n-2\n2\n|{anna}|\n|{bert}|\n1\n1 2 0 |{2.5}|\n";
/// let named = birkhoff::io::parse_leda("pair.gw".as_ref(), text, false)?;
/// assert_eq!((named.graph.weight(1, 0), named.names[0].as_str()), (2.5, "anna"));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with the line: another first line, a number that is none, a label that is not in `|{ }|`, a label
/// there twice, an end that is no vertex, lines behind the last edge. [`Error::File`] when the file ends early, when
/// there is no vertex, or when `directed` is false but the graph is not symmetric. O(bytes), whatever sizes are stated.
pub fn parse_leda(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

/// LEDA's types whose labels are weights.
const NUMBERS: [&str; 7] = ["short", "int", "long", "float", "double", "integer", "unsigned"];

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = decode(source, bytes)?;
    let content = lines(&text).map(|(line, content)| (line, content.trim()));
    let mut lines = Lines { source, lines: content.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) };
    let (line, first) = lines.next("the first line")?;
    if first != "LEDA.GRAPH" {
        return Err(Error::parse(source, line, format!("the first line is {}, not LEDA.GRAPH", shown(first))));
    }
    lines.next("the type of vertices")?;
    let has_weights = NUMBERS.contains(&lines.next("the type of edges")?.1);
    let (line, count) = lines.next("the number of vertices")?;
    let (stated, n) = match count {
        "-1" => (Some(Kind::Arcs), lines.count("the number of vertices")?),
        "-2" => (Some(Kind::Edges), lines.count("the number of vertices")?),
        _ => (None, whole(source, line, count)?),
    };
    let mut labels = Vec::new();
    for k in 1..=n {
        let (line, content) = lines.next(&format!("vertex {k} of {n}"))?;
        labels.push((line, label(source, line, content)?));
    }
    let names = names(source, &labels)?;
    let m = lines.count("the number of edges")?;
    let mut rows = Rows::default();
    for k in 1..=m {
        let (line, content) = lines.next(&format!("edge {k} of {m}"))?;
        let at = content.find("|{").unwrap_or(content.len());
        let (ends, label_of_edge) = content.split_at(at);
        let mut ends = ends.split_whitespace();
        let (Some(u), Some(v)) = (ends.next(), ends.next()) else {
            return Err(Error::parse(source, line, "an edge must be `source target reversal |{label}|`"));
        };
        let weight = match label_of_edge {
            "" => "",
            text => label(source, line, text)?,
        };
        let weight = if has_weights && !weight.is_empty() { finite(source, line, "weight", weight)? } else { 1.0 };
        rows.add(line, (end(source, line, u, n)?, end(source, line, v, n)?), weight);
    }
    if let Some((line, content)) = lines.lines.next() {
        return Err(Error::parse(source, line, format!("{} behind the last edge", shown(content))));
    }
    let kind = stated.unwrap_or(if reading.directed { Kind::Arcs } else { Kind::Edges });
    rows.into_file(source, GraphFormat::Leda, kind, names, reading)
}

/// The lines that count, with their numbers.
struct Lines<'s, I> {
    source: &'s Path,
    lines: I,
}

impl<'s, 't, I: Iterator<Item = (usize, &'t str)>> Lines<'s, I> {
    fn next(&mut self, what: &str) -> Result<(usize, &'t str)> {
        self.lines.next().ok_or_else(|| Error::file(self.source, format!("the file ends before {what}")))
    }

    fn count(&mut self, what: &str) -> Result<usize> {
        let (line, text) = self.next(what)?;
        whole(self.source, line, text)
    }
}

fn whole(source: &Path, line: usize, text: &str) -> Result<usize> {
    text.parse().map_err(|_| Error::parse(source, line, format!("{} is no whole number", shown(text))))
}

/// `anna` of `|{anna}|`.
fn label<'t>(source: &Path, line: usize, text: &'t str) -> Result<&'t str> {
    let inside = text.trim().strip_prefix("|{").and_then(|rest| rest.strip_suffix("}|"));
    inside.map(str::trim).ok_or_else(|| Error::parse(source, line, format!("{} is no label `|{{...}}|`", shown(text))))
}

fn names(source: &Path, labels: &[(usize, &str)]) -> Result<Vec<String>> {
    if labels.iter().all(|(_, label)| label.is_empty()) {
        return Ok((1..=labels.len()).map(|k| k.to_string()).collect());
    }
    let mut vertices = Vertices::default();
    for (k, &(line, label)) in labels.iter().enumerate() {
        if label.is_empty() || vertices.vertex(label) < k {
            return Err(Error::parse(source, line, format!("the label {} is empty or there twice", shown(label))));
        }
    }
    Ok(vertices.into_names())
}

fn end(source: &Path, line: usize, text: &str, n: usize) -> Result<usize> {
    match text.parse::<usize>() {
        Ok(end) if (1..=n).contains(&end) => Ok(end - 1),
        _ => Err(Error::parse(source, line, format!("vertex {} is none of 1..{n}", shown(text)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, directed: bool) -> Result<NamedGraph> {
        parse_leda(Path::new("a.gw"), text.as_bytes(), directed)
    }

    fn file(kind: &str, types: &str, edges: &str) -> String {
        format!("# made by hand\nLEDA.GRAPH\n{types}\n{kind}\n3\n|{{a b}}|\n|{{c}}|\n|{{d}}|\n{edges}")
    }

    #[test]
    fn labels_are_names_and_numbers_are_weights() {
        let named = parse(&file("-2", "string\ndouble", "2\n1 2 0 |{2.5}|\n\n3 3 0 |{}|\n"), false).unwrap();
        assert_eq!(named.names, ["a b", "c", "d"]);
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 1, 2.5), (1, 0, 2.5), (2, 2, 1.0)]);
        let named = parse(&file("-2", "string\nstring", "1\n1 2 0 |{7}|\n"), false).unwrap();
        assert_eq!(named.graph.weight(0, 1), 1.0);
        let named = parse("LEDA.GRAPH\nvoid\nvoid\n2\n|{}|\n|{}|\n1\n1 2 0\n", true).unwrap();
        assert_eq!((named.names.join(" "), named.graph.arc_count()), ("1 2".to_string(), 1));
    }

    #[test]
    fn a_directed_file_needs_directed() {
        let text = file("-1", "string\nint", "1\n1 2 0 |{}|\n");
        assert_eq!(parse(&text, true).unwrap().graph.arc_count(), 1);
        assert!(parse(&text, false).unwrap_err().to_string().contains("not an undirected graph"));
        assert_eq!(parse(&text.replace("-1", "-2"), true).unwrap().graph.arc_count(), 2);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let edges = |edges: &str| file("-2", "string\nint", edges);
        for (text, expected) in [
            ("LEDA".to_string(), "a.gw:1: the first line is 'LEDA'"),
            ("LEDA.GRAPH\nstring\n".to_string(), "a.gw: the file ends before the type of edges"),
            (
                "LEDA.GRAPH\nvoid\nvoid\n-2\n99999999999\n".to_string(),
                "a.gw: the file ends before vertex 1 of 99999999999",
            ),
            ("LEDA.GRAPH\nvoid\nvoid\n0\n0\n".to_string(), "a.gw: the graph has no vertex"),
            ("LEDA.GRAPH\nvoid\nvoid\nx\n".to_string(), "a.gw:4: 'x' is no whole number"),
            ("LEDA.GRAPH\nvoid\nvoid\n1\na\n".to_string(), "a.gw:5: 'a' is no label"),
            (
                "LEDA.GRAPH\nvoid\nvoid\n2\n|{a}|\n|{a}|\n0\n".to_string(),
                "a.gw:6: the label 'a' is empty or there twice",
            ),
            (edges("2\n1 2 0 |{}|\n"), "a.gw: the file ends before edge 2 of 2"),
            (edges("1\n1\n"), "a.gw:11: an edge must be"),
            (edges("1\n1 4 0 |{}|\n"), "a.gw:11: vertex '4' is none of 1..3"),
            (edges("1\n1 2 0 |{x}|\n"), "a.gw:11: weight 'x' is not a number"),
            (edges("1\n1 2 0 |{2\n"), "a.gw:11: '|{2' is no label"),
            (edges("1\n1 2 0 |{}|\nmore\n"), "a.gw:12: 'more' behind the last edge"),
        ] {
            let message = parse(&text, false).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text}: {message}");
        }
    }
}
