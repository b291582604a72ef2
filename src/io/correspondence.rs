//! Pairs of vertices: a vertex of graph A and its partner in graph B.

use super::fields::{Separator, fields, quote};
use super::named_graph::NamedGraph;
use super::source::read_source;
use super::text::{decode, lines, shown};
use super::write_atomically;
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
/// The result holds indices of vertices, in the order of the file; an empty file is an empty list. A first line of
/// which neither name is a vertex, above a pair of vertices, is a header, whatever it says. A first line `a,b` is one
/// even where A has a vertex called a and B one called b if one of them is in another pair, and an error otherwise. A
/// column without a name before the two, as pandas and R write it, is not read.
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
    let text = decode(source, bytes)?;
    let separator = Separator::of(&text);
    let mut records = Vec::new();
    let mut numbered = None;
    for (line, content) in lines(&text) {
        let mut fields = fields(source, line, content, separator)?;
        if fields.is_empty() {
            continue;
        }
        if *numbered.get_or_insert(fields.len() == 3 && fields[0].text.is_empty()) {
            fields.remove(0);
        }
        let [u, v] = &fields[..] else {
            let cause = format!("{} fields, but a pair is `vertex_of_a,vertex_of_b`", fields.len());
            return Err(Error::parse(source, line, cause));
        };
        let is_plain = !u.quoted && !v.quoted;
        records.push(Record { line, u: u.text.to_string(), v: v.text.to_string(), is_plain });
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
    let Some((Record { line, u, v, is_plain }, others)) = records.split_first() else { return Ok(false) };
    let known = |record: &Record| (a.contains_key(record.u.as_str()), b.contains_key(record.v.as_str()));
    if known(&records[0]) == (false, false) && others.iter().any(|other| known(other) == (true, true)) {
        return Ok(true);
    }
    let says_ab = *is_plain && u.eq_ignore_ascii_case("a") && v.eq_ignore_ascii_case("b");
    if !says_ab || known(&records[0]) != (true, true) || others.iter().any(|other| other.u == *u || other.v == *v) {
        return Ok(says_ab);
    }
    let cause = format!("{u},{v} could be the header or a pair: delete the header, or put a pair in double quotes");
    Err(Error::parse(source, *line, cause))
}

fn vertex(source: &Path, line: usize, vertices: &HashMap<&str, usize>, name: &str, graph: &str) -> Result<usize> {
    let unknown = || Error::parse(source, line, format!("graph {graph} has no vertex {}", shown(name)));
    vertices.get(name).copied().ok_or_else(unknown)
}

/// Reads the true correspondence, as far as it is known: [`read_pairs`], then [`truth_from_pairs`].
///
/// # Errors
/// As these two.
pub fn read_truth(path: &Path, a: &NamedGraph, b: &NamedGraph) -> Result<Vec<Option<usize>>> {
    let (source, bytes) = read_source(path)?;
    truth_from_pairs(&source, &parse_pairs(&source, &bytes, a, b)?, a, b)
}

/// The map from vertices of A to vertices of B that `pairs` are, which must be injective: entry i is the partner of
/// vertex i of A, `None` where none is known.
///
/// `source` names the pairs in messages.
///
/// # Errors
/// [`Error::File`] when there is no pair, or when a vertex of either graph is in two. O(vertices).
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
    if pairs.is_empty() {
        return Err(Error::file(source, "there is no pair of vertices in the file"));
    }
    Ok(partner_of_a)
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
            ("p,q", "t.txt:1: graph A has no vertex 'p'"),
            ("p,q\nr,1\n", "t.txt:1: graph A has no vertex 'p'"),
            ("x,q\ny,1\n", "t.txt:1: graph B has no vertex 'q'"),
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
    fn a_first_line_of_no_vertices_is_a_header_whatever_it_says() {
        for text in ["graph1,graph2\nx,1", "\"a\",\"b\"\nx,1", ",a,b\n0,x,1", "\"\",\"g 1\",\"g 2\"\n\"1\",\"x\",\"1\""]
        {
            assert_eq!(parse(text, &["x", "y"], &["1", "2"]).unwrap(), [(0, 0)], "{text}");
        }
        let (a, b) = (["x 1", "y"], ["1", "2, 3"]);
        assert_eq!(parse("gene\tprotein\nx 1\t2, 3\ny\t1\n", &a, &b).unwrap(), [(0, 1), (1, 0)]);
    }

    #[test]
    fn a_truth_holds_what_is_known() {
        let (two, three) = (vertices(&["x", "y"]), vertices(&["1", "2", "3"]));
        let truth = |pairs: &[(usize, usize)], a, b| {
            truth_from_pairs(Path::new("t.txt"), pairs, a, b).map_err(|error| error.to_string())
        };
        assert_eq!(truth(&[(1, 0), (0, 2)], &two, &three).unwrap(), [Some(2), Some(0)]);
        assert_eq!(truth(&[(2, 0), (0, 1)], &three, &two).unwrap(), [Some(1), None, Some(0)]);
        assert_eq!(truth(&[(1, 0)], &two, &three).unwrap(), [None, Some(0)]);
        for (pairs, a, b, expected) in [
            (&[][..], &two, &three, "t.txt: there is no pair of vertices in the file"),
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
