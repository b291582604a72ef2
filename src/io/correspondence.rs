//! Pairs of vertices: a vertex of graph A and its partner in graph B.

use super::text::{decode, fields, lines, quote, read_source, shown};
use super::{NamedGraph, write_atomically};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// Reads pairs (vertex of A, vertex of B), such as known correspondences ("anchors").
///
/// ```text
/// a,b              an optional header
/// anna,17          separators are spaces, tabs, commas or semicolons; # and % begin comments
/// "Dr. No" 3
/// ```
///
/// The result holds indices of vertices, in the order of the file; an empty file is an empty list. A first line
/// `a,b` is the header unless A has a vertex called a and B one called b; then it is the header if one of
/// them is in another pair, and an error otherwise.
///
/// ```
/// use birkhoff::io::{parse_edge_list, parse_pairs};
/// let a = parse_edge_list("a.edges".as_ref(), b"anna bert", false)?;
/// let b = parse_edge_list("b.edges".as_ref(), b"17 18", false)?;
/// assert_eq!(parse_pairs("anchors.csv".as_ref(), b"a,b\nanna,18\n", &a, &b)?, [(0, 1)]);
/// let twice = parse_pairs("anchors.csv".as_ref(), b"anna,18\nbert,18", &a, &b).unwrap_err();
/// assert_eq!(twice.to_string(), "anchors.csv:2: vertex '18' of graph B is in two pairs, first in line 1");
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]; [`Error::Parse`] with the line: a line without exactly two fields, a name that is no vertex of
/// its graph, a vertex of A or of B in two pairs. O(bytes + vertices).
pub fn read_pairs(path: &Path, a: &NamedGraph, b: &NamedGraph) -> Result<Vec<(usize, usize)>> {
    let (source, bytes) = read_source(path)?;
    parse_pairs(&source, &bytes, a, b)
}

/// [`read_pairs`] from memory; `source` names the bytes in messages.
///
/// # Errors
/// As [`read_pairs`].
pub fn parse_pairs(source: &Path, bytes: &[u8], a: &NamedGraph, b: &NamedGraph) -> Result<Vec<(usize, usize)>> {
    let mut records = Vec::new();
    for (line, content) in lines(decode(source, bytes)?) {
        let fields = fields(source, line, content)?;
        match &fields[..] {
            [] => {}
            [u, v] => {
                let is_plain = !u.quoted && !v.quoted;
                records.push(Record { line, u: u.text.to_string(), v: v.text.to_string(), is_plain });
            }
            _ => {
                let cause = format!("{} fields, but a pair is `vertex_of_a,vertex_of_b`", fields.len());
                return Err(Error::parse(source, line, cause));
            }
        }
    }
    let (vertices_of_a, vertices_of_b) = (a.indices(), b.indices());
    let header = has_header(source, &records, &vertices_of_a, &vertices_of_b)?;
    let mut pairs = Vec::new();
    let (mut lines_of_a, mut lines_of_b) = (HashMap::new(), HashMap::new());
    for Record { line, u, v, .. } in records.iter().skip(usize::from(header)) {
        let i = vertex(source, *line, &vertices_of_a, u, "A")?;
        let j = vertex(source, *line, &vertices_of_b, v, "B")?;
        for (lines, name, graph) in [(&mut lines_of_a, u, "A"), (&mut lines_of_b, v, "B")] {
            if let Some(earlier) = lines.insert(name.as_str(), *line) {
                let cause = format!("vertex {} of graph {graph} is in two pairs, first in line {earlier}", shown(name));
                return Err(Error::parse(source, *line, cause));
            }
        }
        pairs.push((i, j));
    }
    Ok(pairs)
}

struct Record {
    line: usize,
    u: String,
    v: String,
    is_plain: bool,
}

fn has_header(source: &Path, records: &[Record], a: &HashMap<&str, usize>, b: &HashMap<&str, usize>) -> Result<bool> {
    let Some((Record { line, u, v, is_plain: true }, others)) = records.split_first() else { return Ok(false) };
    if !(u.eq_ignore_ascii_case("a") && v.eq_ignore_ascii_case("b")) {
        return Ok(false);
    }
    let could_be_a_pair = a.contains_key(u.as_str()) && b.contains_key(v.as_str());
    if !could_be_a_pair || others.iter().any(|other| other.u == *u || other.v == *v) {
        return Ok(true);
    }
    let cause = format!("{u},{v} could be the header or a pair: delete the header, or put a pair in double quotes");
    Err(Error::parse(source, *line, cause))
}

fn vertex(source: &Path, line: usize, vertices: &HashMap<&str, usize>, name: &str, graph: &str) -> Result<usize> {
    let unknown = || Error::parse(source, line, format!("graph {graph} has no vertex {}", shown(name)));
    vertices.get(name).copied().ok_or_else(unknown)
}

/// Reads the true correspondence of all vertices of the smaller graph: [`read_pairs`], then [`truth_from_pairs`].
///
/// # Errors
/// As these two.
pub fn read_truth(path: &Path, a: &NamedGraph, b: &NamedGraph) -> Result<Vec<Option<usize>>> {
    let (source, bytes) = read_source(path)?;
    truth_from_pairs(&source, &parse_pairs(&source, &bytes, a, b)?, a, b)
}

/// The map from vertices of A to vertices of B that `pairs` are, which must be injective and hold every vertex
/// of the smaller graph: entry i is the partner of vertex i of A.
///
/// Entries are `None` only when A is the larger graph. When both have n vertices it is a bijection.
/// `source` names the pairs in messages.
///
/// # Errors
/// [`Error::File`] when a vertex of the smaller graph is in no pair, or one of either graph in two.
/// O(vertices).
pub fn truth_from_pairs(
    source: &Path,
    pairs: &[(usize, usize)],
    a: &NamedGraph,
    b: &NamedGraph,
) -> Result<Vec<Option<usize>>> {
    let mut partner_of_a = vec![None; a.names.len()];
    let mut partner_of_b = vec![None; b.names.len()];
    for &(i, j) in pairs {
        let (Some(to), Some(back)) = (partner_of_a.get_mut(i), partner_of_b.get_mut(j)) else {
            let sizes = format!("{} and {} vertices", a.names.len(), b.names.len());
            return Err(Error::file(source, format!("the pair ({i}, {j}) is out of range for graphs of {sizes}")));
        };
        if to.replace(j).is_some() {
            let cause = format!("vertex {} of graph A is in two pairs", shown(&a.names[i]));
            return Err(Error::file(source, cause));
        }
        if back.replace(i).is_some() {
            let cause = format!("vertex {} of graph B is in two pairs", shown(&b.names[j]));
            return Err(Error::file(source, cause));
        }
    }
    let (smaller, partners, graph) =
        if a.names.len() <= b.names.len() { (a, &partner_of_a, "A") } else { (b, &partner_of_b, "B") };
    let missing: Vec<usize> = (0..partners.len()).filter(|&i| partners[i].is_none()).collect();
    match missing.first() {
        None => Ok(partner_of_a),
        Some(&first) => {
            let (name, total) = (shown(&smaller.names[first]), partners.len());
            let cause =
                format!("vertex {name} of graph {graph} is in no pair ({} of {total} are in none)", missing.len());
            Err(Error::file(source, cause))
        }
    }
}

/// Writes pairs of names as CSV with the header `a,b`, atomically; [`read_pairs`] reads it.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_match<'n>(path: &Path, pairs: impl IntoIterator<Item = (&'n str, &'n str)>) -> Result<()> {
    write_atomically(path, |file| {
        writeln!(file, "a,b")?;
        pairs.into_iter().try_for_each(|(u, v)| writeln!(file, "{},{}", quote(u), quote(v)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    fn vertices(names: &[&str]) -> NamedGraph {
        let graph = Graph::directed(names.len(), []).unwrap();
        NamedGraph::new(graph, names.iter().map(|name| name.to_string()).collect()).unwrap()
    }

    fn parse(text: &str, a: &[&str], b: &[&str]) -> Result<Vec<(usize, usize)>> {
        parse_pairs(Path::new("t.txt"), text.as_bytes(), &vertices(a), &vertices(b))
    }

    #[test]
    fn pairs_are_read_with_any_separator_header_and_comments() {
        let expected = [(1, 0), (0, 2)];
        for text in ["y 1\nx 3", "# c\na,b\ny,1 % c\r\nx;3\n", "A\tB\n\ny\t1\nx\t3", "\"y\" 1\nx  \"3\""] {
            assert_eq!(parse(text, &["x", "y"], &["1", "2", "3"]).unwrap(), expected, "{text}");
        }
        assert!(parse("# nothing\n", &["x"], &["y"]).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_graph() {
        for (text, expected) in [
            ("x 1\ny", "t.txt:2: 1 fields, but a pair"),
            ("x 1 0.5", "t.txt:1: 3 fields"),
            ("x 1\nz 2", "t.txt:2: graph A has no vertex 'z'"),
            ("x 1\ny x", "t.txt:2: graph B has no vertex 'x'"),
            ("x 1\ny 1", "t.txt:2: vertex '1' of graph B is in two pairs, first in line 1"),
            ("a,b\nx 1\nx 2", "t.txt:3: vertex 'x' of graph A is in two pairs, first in line 2"),
            ("x 1\nx 1", "t.txt:2: vertex 'x' of graph A"),
            ("x 1\na,b", "t.txt:2: graph A has no vertex 'a'"),
            ("\"a\",\"b\"\nx,1", "t.txt:1: graph A has no vertex 'a'"),
        ] {
            let message = parse(text, &["x", "y"], &["1", "2"]).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_header_is_told_from_a_pair_of_the_same_names_or_asked_for() {
        let (a, b) = (["a", "x"], ["b", "y"]);
        assert_eq!(parse("a,b\na,y\nx,b", &a, &b).unwrap(), [(0, 1), (1, 0)]);
        assert_eq!(parse("a,b\na,b", &a, &b).unwrap(), [(0, 0)]);
        assert_eq!(parse("\"a\",b\nx,y", &a, &b).unwrap(), [(0, 0), (1, 1)]);
        let message = parse("a,b\nx,y", &a, &b).unwrap_err().to_string();
        assert!(message.starts_with("t.txt:1: a,b could be the header or a pair"), "{message}");
    }

    #[test]
    fn truth_needs_every_vertex_of_the_smaller_graph() {
        let (two, three) = (vertices(&["x", "y"]), vertices(&["1", "2", "3"]));
        let truth = |pairs: &[(usize, usize)], a, b| {
            truth_from_pairs(Path::new("t.txt"), pairs, a, b).map_err(|error| error.to_string())
        };
        assert_eq!(truth(&[(1, 0), (0, 2)], &two, &three).unwrap(), [Some(2), Some(0)]);
        assert_eq!(truth(&[(2, 0), (0, 1)], &three, &two).unwrap(), [Some(1), None, Some(0)]);
        for (pairs, a, b, expected) in [
            (&[(1, 0)][..], &two, &three, "t.txt: vertex 'x' of graph A is in no pair (1 of 2 are in none)"),
            (&[(1, 0)], &three, &two, "t.txt: vertex 'y' of graph B is in no pair (1 of 2 are in none)"),
            (&[(0, 0), (0, 1)], &two, &three, "t.txt: vertex 'x' of graph A is in two pairs"),
            (&[(0, 0), (1, 0)], &two, &three, "t.txt: vertex '1' of graph B is in two pairs"),
            (&[(2, 0)], &two, &three, "t.txt: the pair (2, 0) is out of range for graphs of 2 and 3 vertices"),
        ] {
            assert_eq!(truth(pairs, a, b).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_written_match_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("match.csv");
        let (a, b) = (vertices(&["x y", "a", "#"]), vertices(&["b", "q\"q", "1"]));
        let pairs = [(0, 1), (1, 0), (2, 2)];
        write_match(&path, pairs.map(|(i, j)| (a.names[i].as_str(), b.names[j].as_str()))).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "a,b\n\"x y\",\"q\"\"q\"\na,b\n\"#\",1\n");
        assert_eq!(read_pairs(&path, &a, &b).unwrap(), pairs);
        assert_eq!(read_truth(&path, &a, &b).unwrap(), [Some(1), Some(0), Some(2)]);
    }
}
