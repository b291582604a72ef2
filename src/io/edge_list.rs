//! Edge lists: `u v [w]` a line.

use super::edges::{Edges, Vertices, accept};
use super::text::{Field, decode, fields, finite, in_quotes, lines, number, quote, shown};
use super::{NamedGraph, listed_edges, write_summary};
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// Reads an edge list.
///
/// ```text
/// # comments begin with # or %, also behind an edge
/// anna bert          an edge of weight 1
/// bert,carl;2.5      an edge of weight 2.5: separators are spaces, tabs, commas or semicolons
/// "Dr. No"           a vertex without edges (unless it has some elsewhere), here with a space in its name
/// ```
///
/// A name is any text; `7` and `07` are two names. When all names are integers, the vertices are in ascending
/// numeric order, else in order of first appearance. An edge given twice with the same weight, in an
/// undirected list in either direction, is one edge. Weight 0 is no edge.
///
/// # Errors
/// [`Error::Parse`] with the line: more than three fields, nothing between two commas, a weight that is no
/// finite number, an edge once more with another weight, a negative integer as a vertex (elsewhere a mark
/// of a missing value; in quotes it is a name), a first line such as `source target` above integers only,
/// a Matrix Market file, text that is not UTF-8. [`Error::File`] when there is no vertex.
/// O(bytes + m log m) time, O(bytes) memory.
pub fn parse_edge_list(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    let text = decode(source, bytes)?;
    if text.starts_with("%%MatrixMarket") {
        return Err(Error::parse(source, 1, "a Matrix Market file, not an edge list: --format matrix-market reads it"));
    }
    let mut vertices = Vertices::default();
    let mut edges = Edges::new(source, directed);
    let mut first_line = None;
    for (line, content) in lines(text) {
        let fields = fields(source, line, content)?;
        if fields.is_empty() {
            continue;
        }
        first_line.get_or_insert((line, fields.len() > 1 && fields.iter().all(|field| !field.quoted)));
        add_line(source, line, &fields, &mut vertices, &mut edges)?;
    }
    if let Some((line, true)) = first_line {
        refuse_header(source, line, vertices.names())?;
    }
    named(vertices, edges).and_then(|named| accept(source, named, directed))
}

/// `u`, `u v` or `u v w`.
fn add_line(
    source: &Path,
    line: usize,
    fields: &[Field],
    vertices: &mut Vertices,
    edges: &mut Edges<'_>,
) -> Result<()> {
    for (index, field) in fields.iter().enumerate() {
        if field.text.is_empty() {
            return Err(Error::parse(source, line, format!("field {} is empty", index + 1)));
        }
    }
    for name in fields.iter().take(2) {
        if !name.quoted && is_negative_integer(&name.text) {
            let cause = "is negative: a missing value? A name that looks so must be in double quotes";
            return Err(Error::parse(source, line, format!("vertex {} {cause}", shown(&name.text))));
        }
    }
    let (u, v, weight) = match fields {
        [u] => {
            vertices.vertex(&u.text);
            return Ok(());
        }
        [u, v] => (u, v, 1.0),
        [u, v, weight] => (u, v, finite(source, line, "weight", &weight.text)?),
        _ => {
            let hint = "a name with spaces must be in double quotes";
            let cause = format!("{} fields, but a line is `u v [weight]` ({hint})", fields.len());
            return Err(Error::parse(source, line, cause));
        }
    };
    let ends = (vertices.vertex(&u.text), vertices.vertex(&v.text));
    edges.add(line, ends, weight, |i| vertices.names()[i].clone())
}

/// The first line read as an edge between names, all other names being integers, is most likely a header
/// (`source target`): counted as an edge it would change the graph without a word.
fn refuse_header(source: &Path, line: usize, names: &[String]) -> Result<()> {
    let is_header = names.len() > 2
        && names[..2].iter().all(|name| !is_integer(name))
        && names[2..].iter().all(|name| is_integer(name));
    if !is_header {
        return Ok(());
    }
    let cause = format!("{} {} looks like a header: put a # before it", shown(&names[0]), shown(&names[1]));
    Err(Error::parse(source, line, cause + ", or double quotes around the names if it is an edge"))
}

/// The graph with its vertices in their documented order.
fn named(vertices: Vertices, edges: Edges<'_>) -> Result<NamedGraph> {
    let mut names = vertices.into_names();
    let n = names.len();
    if !names.iter().all(|name| is_integer(name)) {
        return Ok(NamedGraph { graph: edges.into_graph(n, |i| i)?, names });
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| numeric_key(&names[i]).cmp(&numeric_key(&names[j])));
    let mut label = vec![0; n];
    for (new, &old) in order.iter().enumerate() {
        label[old] = new;
    }
    let graph = edges.into_graph(n, |i| label[i])?;
    let names = order.into_iter().map(|old| std::mem::take(&mut names[old])).collect();
    Ok(NamedGraph { graph, names })
}

fn is_integer(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_negative_integer(name: &str) -> bool {
    name.strip_prefix('-').is_some_and(is_integer)
}

/// Integers of any length in numeric order; 7 before 07.
fn numeric_key(integer: &str) -> (usize, &str, usize) {
    let digits = integer.trim_start_matches('0');
    (digits.len(), digits, integer.len())
}

/// Integer names are sorted on reading, so lines for vertices without edges suffice; other names come in order
/// of appearance, so all vertices are listed first. Weights are left out when all are 1.
pub(super) fn write(file: &mut dyn Write, named: &NamedGraph, directed: bool) -> io::Result<()> {
    let NamedGraph { graph, names } = named;
    write!(file, "# ")?;
    write_summary(file, graph, directed)?;
    writeln!(file)?;
    let integers = names.iter().all(|name| is_integer(name));
    let mut has_edge = vec![false; names.len()];
    for (i, j, _) in graph.arcs() {
        (has_edge[i], has_edge[j]) = (true, true);
    }
    for (name, has_edge) in names.iter().zip(has_edge) {
        if !(integers && has_edge) {
            writeln!(file, "{}", quoted(name))?;
        }
    }
    let weighted = graph.arcs().any(|(_, _, weight)| weight != 1.0);
    for (i, j, weight) in listed_edges(graph, directed) {
        write!(file, "{} {}", quoted(&names[i]), quoted(&names[j]))?;
        if weighted {
            write!(file, " {}", number(weight))?;
        }
        writeln!(file)?;
    }
    Ok(())
}

fn quoted(name: &str) -> Cow<'_, str> {
    if is_negative_integer(name) { Cow::Owned(in_quotes(name)) } else { quote(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, directed: bool) -> Result<NamedGraph> {
        parse_edge_list(Path::new("a.edges"), text.as_bytes(), directed)
    }

    fn message(text: &str) -> String {
        parse(text, false).unwrap_err().to_string()
    }

    #[test]
    fn names_weights_comments_and_lone_vertices_are_read() {
        let text = "\u{feff}% head\r\nanna bert # tail\r\n\r\nbert,carl;2.5\n\"Dr. No\"\n carl\tcarl\t-1 % loop\nanna";
        let named = parse(text, false).unwrap();
        assert_eq!(named.names, ["anna", "bert", "carl", "Dr. No"]);
        let edges: Vec<_> = named.graph.arcs().filter(|arc| arc.0 <= arc.1).collect();
        assert_eq!(edges, [(0, 1, 1.0), (1, 2, 2.5), (2, 2, -1.0)]);
        assert!(named.graph.is_symmetric());
    }

    #[test]
    fn integer_names_are_in_numeric_order_and_others_in_order_of_appearance() {
        assert_eq!(parse("10 9\n100000000000000000000000 2\n02 1", false).unwrap().names[..4], ["1", "2", "02", "9"]);
        assert_eq!(parse("10 9\nx 2", false).unwrap().names, ["10", "9", "x", "2"]);
        // The order 9, 10, 2 is no involution, so that it cannot be mistaken for its inverse.
        let named = parse("9 10 3\n2 10 4", true).unwrap();
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 2, 4.0), (1, 2, 3.0)]);
    }

    #[test]
    fn directed_lists_have_arcs() {
        let named = parse("a b 1\nb a 2", true).unwrap();
        assert_eq!((named.graph.weight(0, 1), named.graph.weight(1, 0)), (1.0, 2.0));
        assert!(!named.graph.is_symmetric());
    }

    #[test]
    fn an_edge_may_come_twice_but_not_with_two_weights() {
        assert_eq!(parse("a b 2\nb a 2\na b 2", false).unwrap().graph.edge_count(), 1);
        assert_eq!(message("a b 2\n\nb a 3"), "a.edges:3: the edge from 'b' to 'a' has weight 3, but 2 in line 1");
        let arcs = parse("a b\na b 3", true).unwrap_err().to_string();
        assert_eq!(arcs, "a.edges:2: the arc from 'a' to 'b' has weight 3, but 1 in line 1");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, expected) in [
            ("", "a.edges: the graph has no vertex"),
            ("# nothing\n", "a.edges: the graph has no vertex"),
            ("a b\na b c d", "a.edges:2: 4 fields"),
            ("a b x", "a.edges:1: weight 'x' is not a number"),
            ("a b\nb c nan", "a.edges:2: weight 'nan' is not finite"),
            ("a b 1e999", "a.edges:1: weight '1e999' is not finite"),
            ("a b\na -1", "a.edges:2: vertex '-1' is negative"),
            ("a,,b", "a.edges:1: field 2 is empty"),
            ("\"\" b", "a.edges:1: field 1 is empty"),
            ("a b\n\"c d", "a.edges:2: a quote is not closed"),
            ("%%MatrixMarket matrix", "a.edges:1: a Matrix Market file"),
            ("# x\nsource target\n1 2", "a.edges:2: 'source' 'target' looks like a header"),
        ] {
            let message = message(text);
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
        let latin1 = parse_edge_list(Path::new("a.edges"), b"a b\nc \xe9", false).unwrap_err();
        assert_eq!(latin1.to_string(), "a.edges:2: not UTF-8 text");
    }

    #[test]
    fn a_first_edge_between_names_is_no_header_when_quoted_or_when_other_names_follow() {
        assert_eq!(parse("\"source\" target\n1 2", false).unwrap().names.len(), 4);
        assert_eq!(parse("source target\n1 b", false).unwrap().names.len(), 4);
        assert_eq!(parse("source target", false).unwrap().names.len(), 2);
    }

    #[test]
    fn what_is_written_is_as_short_as_it_can_be() {
        let written = |text: &str| {
            let mut file = Vec::new();
            write(&mut file, &parse(text, false).unwrap(), false).unwrap();
            String::from_utf8(file).unwrap()
        };
        assert_eq!(written("2 1\n3"), "# 3 vertices, 1 undirected edges\n3\n1 2\n");
        assert_eq!(written("b a 2"), "# 2 vertices, 1 undirected edges\nb\na\nb a 2\n");
        assert_eq!(written("\"-1\" \"a b\""), "# 2 vertices, 1 undirected edges\n\"-1\"\n\"a b\"\n\"-1\" \"a b\"\n");
    }
}
