//! Similarities of the vertices of two graphs.

use super::fields::{Field, Separator, fields, sample};
use super::matrix::Table;
use super::named_graph::NamedGraph;
use super::numpy::{array_of, is_array};
use super::source::{read_source, without_gz};
use super::text::{decode, finite, lines, shown};
use crate::error::{Error, Result};
use crate::sparse_matrix::SparseMatrix;
use nalgebra::DMatrix;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Similarities s of the vertices of A (rows) and B (columns), n_A × n_B, in the form that they were given in.
#[derive(Debug, Clone, PartialEq)]
pub enum Similarity {
    /// All of them.
    Dense(DMatrix<f64>),
    /// Those that are not 0.
    Sparse(SparseMatrix),
}

/// A file of similarities whose form is known, and nothing else yet: what memory it takes can be told before it is
/// taken.
#[derive(Debug)]
pub struct SimilarityFile {
    source: PathBuf,
    bytes: Vec<u8>,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Array,
    Matrix,
    Triples,
}

impl SimilarityFile {
    /// An array of NumPy is a dense matrix. Text is one, too, if it has n_B columns of numbers, see
    /// [`parse_similarity_matrix`], or else a list of triples, see [`parse_similarity_triples`]; where it could be
    /// both, or is neither, a file `.csv` is a matrix and any other, and `-`, a list.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn read(path: &Path, b: &NamedGraph) -> Result<Self> {
        let (source, bytes) = read_source(path)?;
        let is_csv = without_gz(path).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let form = match is_array(&bytes) {
            true => Form::Array,
            false if is_matrix(&source, &bytes, b, is_csv) => Form::Matrix,
            false => Form::Triples,
        };
        Ok(SimilarityFile { source, bytes, form })
    }

    /// The triples that a list has at most, a line each; `None` for a matrix.
    pub fn most_entries(&self) -> Option<usize> {
        (self.form == Form::Triples).then(|| 1 + self.bytes.iter().filter(|&&byte| byte == b'\n').count())
    }

    /// The file's name, for messages.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// The similarities.
    ///
    /// # Errors
    /// As [`parse_similarity_matrix`] and [`parse_similarity_triples`].
    pub fn parse(&self, a: &NamedGraph, b: &NamedGraph) -> Result<Similarity> {
        let SimilarityFile { source, bytes, form } = self;
        Ok(match form {
            Form::Array => Similarity::Dense(similarity_of_array(source, array_of(source, bytes)?, a, b)?),
            Form::Matrix => Similarity::Dense(parse_similarity_matrix(source, bytes, a, b)?),
            Form::Triples => Similarity::Sparse(parse_similarity_triples(source, bytes, a, b)?),
        })
    }
}

/// Reads similarities of the vertices of A and B from a [file](SimilarityFile).
///
/// # Errors
/// As [`SimilarityFile::read`] and [`SimilarityFile::parse`].
pub fn read_similarity(path: &Path, a: &NamedGraph, b: &NamedGraph) -> Result<Similarity> {
    SimilarityFile::read(path, b)?.parse(a, b)
}

/// Whether the rows below the first are as long as those of a matrix; triples, and what is neither, go by the
/// extension.
fn is_matrix(source: &Path, bytes: &[u8], b: &NamedGraph, is_csv: bool) -> bool {
    let Ok(text) = decode(source, bytes) else { return is_csv };
    let separator = Separator::of(&text);
    let rows = || sample(&text).skip(1).filter_map(|(line, row)| fields(source, line, row, separator).ok());
    let lengths: HashSet<usize> = rows().map(|row| row.len()).collect();
    let n_b = b.names.len();
    let matrix = lengths.len() == 1 && [n_b, n_b + 1].iter().any(|length| lengths.contains(length));
    let triples = lengths.len() == 1 && lengths.contains(&3);
    if matrix == triples { is_csv } else { matrix }
}

fn similarity_of_array(source: &Path, matrix: DMatrix<f64>, a: &NamedGraph, b: &NamedGraph) -> Result<DMatrix<f64>> {
    let expected = (a.names.len(), b.names.len());
    if matrix.shape() == expected {
        return Ok(matrix);
    }
    let ((n_a, n_b), (height, width)) = (expected, matrix.shape());
    let cause = format!("similarities must be {n_a} x {n_b}, as A and B have vertices, but are {height} x {width}");
    Err(Error::file(source, cause))
}

/// Reads a dense matrix, in the format of [`read_matrix`](super::read_matrix).
///
/// ```text
/// ,17,18,19        optional: the vertices of B, in any order
/// anna,1,0.5,0     optional in front: the vertex of A
/// bert,0,1,0.25
/// ```
///
/// Where names are given, rows and columns go to the vertices they name; else they are in the order of the
/// vertices. A first row 0,1,…,n−1 or 1,…,n that is one row too many is a header.
///
/// # Errors
/// As [`read_matrix`](super::read_matrix); [`Error::File`] when the shape is not n_A × n_B or a name is no
/// vertex of its graph. O(bytes).
pub fn parse_similarity_matrix(source: &Path, bytes: &[u8], a: &NamedGraph, b: &NamedGraph) -> Result<DMatrix<f64>> {
    let (n_a, n_b) = (a.names.len(), b.names.len());
    let mut table = Table::parse(source, bytes)?;
    table.take_numbers_for_header(n_a);
    let (height, width) = (table.height(), table.width);
    if (height, width) != (n_a, n_b) {
        let hint = if width == 3 { " (triples `a b s` are read from any file that is no .csv)" } else { "" };
        let cause = format!("similarities must be {n_a} x {n_b}, as A and B have vertices, but are {height} x {width}");
        return Err(Error::file(source, cause + hint));
    }
    let rows = places(source, table.rows.as_deref(), a, "row", "A")?;
    let columns = places(source, table.columns.as_deref(), b, "column", "B")?;
    let matrix = table.matrix();
    let mut similarity = DMatrix::zeros(n_a, n_b);
    for (j, &column) in columns.iter().enumerate() {
        for (i, &row) in rows.iter().enumerate() {
            similarity[(row, column)] = matrix[(i, j)];
        }
    }
    Ok(similarity)
}

/// The vertices that rows or columns belong to. Names in a table differ and are as many as the vertices, so
/// that if all are vertices, all vertices are there.
fn places(source: &Path, names: Option<&[String]>, graph: &NamedGraph, what: &str, which: &str) -> Result<Vec<usize>> {
    let Some(names) = names else { return Ok((0..graph.names.len()).collect()) };
    let vertices = graph.indices();
    let place = |name: &String| {
        let cause = || format!("{what} {} is no vertex of graph {which}", shown(name));
        vertices.get(name.as_str()).copied().ok_or_else(|| Error::file(source, cause()))
    };
    names.iter().map(place).collect()
}

/// Reads triples (vertex of A, vertex of B, similarity), one a line; pairs that are not listed have 0.
///
/// ```text
/// a,b,s            an optional header: a first line of which no field is a vertex or a number
/// anna,17,1        separators are spaces, tabs, commas or semicolons; # and % begin comments
/// anna,18,0.5
/// ```
///
/// # Errors
/// [`Error::Parse`] with the line: not exactly three fields, a name that is no vertex of its graph, a pair
/// listed twice, a similarity that is no finite number. O(bytes + n_A + n_B) memory.
pub fn parse_similarity_triples(source: &Path, bytes: &[u8], a: &NamedGraph, b: &NamedGraph) -> Result<SparseMatrix> {
    let (vertices_of_a, vertices_of_b) = (a.indices(), b.indices());
    let mut lines_of_pairs = HashMap::new();
    let mut entries = vec![];
    let mut is_first = true;
    let text = decode(source, bytes)?;
    let separator = Separator::of(&text);
    for (line, content) in lines(&text) {
        let fields = fields(source, line, content, separator)?;
        let [u, v, s] = &fields[..] else {
            if fields.is_empty() {
                continue;
            }
            let cause = format!("{} fields, but a triple is `vertex_of_a,vertex_of_b,similarity`", fields.len());
            return Err(Error::parse(source, line, cause));
        };
        let no_vertices = !vertices_of_a.contains_key(&*u.text) && !vertices_of_b.contains_key(&*v.text);
        let is_header = std::mem::take(&mut is_first) && no_vertices && !s.is_number();
        if is_header {
            continue;
        }
        let vertex = |vertices: &HashMap<&str, usize>, name: &Field, graph: &str| {
            let unknown = || Error::parse(source, line, format!("graph {graph} has no vertex {}", shown(&name.text)));
            vertices.get(&*name.text).copied().ok_or_else(unknown)
        };
        let pair = (vertex(&vertices_of_a, u, "A")?, vertex(&vertices_of_b, v, "B")?);
        let s = finite(source, line, "similarity", &s.text)?;
        if let Some(earlier) = lines_of_pairs.insert(pair, line) {
            let (u, v) = (shown(&u.text), shown(&v.text));
            return Err(Error::parse(source, line, format!("the pair {u}, {v} was already in line {earlier}")));
        }
        entries.push((pair.0, pair.1, s));
    }
    SparseMatrix::from_entries((a.names.len(), b.names.len()), entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use nalgebra::dmatrix;

    fn vertices(names: &[&str]) -> NamedGraph {
        let graph = Graph::directed(names.len(), []).unwrap();
        NamedGraph::new(graph, names.iter().map(|name| name.to_string()).collect()).unwrap()
    }

    fn dense(text: &str) -> Result<DMatrix<f64>> {
        let (a, b) = (vertices(&["x", "y"]), vertices(&["0", "1", "2"]));
        parse_similarity_matrix(Path::new("s.csv"), text.as_bytes(), &a, &b)
    }

    fn triples(text: &str) -> Result<SparseMatrix> {
        let (a, b) = (vertices(&["x", "y"]), vertices(&["0", "1", "2"]));
        parse_similarity_triples(Path::new("s.txt"), text.as_bytes(), &a, &b)
    }

    #[test]
    fn dense_similarities_go_to_the_vertices_that_rows_and_columns_name() {
        let expected = dmatrix![1.0, 2.0, 3.0; 4.0, 5.0, 6.0];
        for text in [
            "1,2,3\n4,5,6",
            "\"2\",\"0\",\"1\"\n3,1,2\n6,4,5",
            ",1,0,2\ny,5,4,6\nx,2,1,3",
            "y 4 5 6\nx 1 2 3",
            "0,1,2\n1,2,3\n4,5,6",
        ] {
            assert_eq!(dense(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn triples_leave_out_zeros() {
        let matrix = |entries: &[_]| SparseMatrix::from_entries((2, 3), entries.iter().copied()).unwrap();
        let expected = matrix(&[(0, 1, 0.5), (1, 0, 2.0)]);
        for text in ["x 1 0.5\ny 0 2", "# c\na,b,s\ny,0,2\n\nx,1,0.5\n", "x 1 0.5\nx 2 0\ny 0 2"] {
            assert_eq!(triples(text).unwrap(), expected);
        }
        assert_eq!(triples("").unwrap(), matrix(&[]));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, expected) in [
            ("1,2\n3,4", "s.csv: similarities must be 2 x 3, as A and B have vertices, but are 2 x 2"),
            ("x,0,1\n", "s.csv: similarities must be 2 x 3"),
            ("1,2,4\n4,5,6\n7,8,9", "s.csv: similarities must be 2 x 3, as A and B have vertices, but are 3 x 3 (tri"),
            ("z 4 5 6\nx 1 2 3", "s.csv: row 'z' is no vertex of graph A"),
            ("\"0\",\"1\",\"3\"\n1,2,3\n4,5,6", "s.csv: column '3' is no vertex of graph B"),
            ("1,2,3\n4,5,nan", "s.csv:2: column 3: 'nan' is not finite"),
        ] {
            let message = dense(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
        for (text, expected) in [
            ("x 1 o.5", "s.txt:1: similarity 'o.5' is not a number"),
            ("x 1 1\nx 1", "s.txt:2: 2 fields, but a triple"),
            ("z 1 1", "s.txt:1: graph A has no vertex 'z'"),
            ("x z 1", "s.txt:1: graph B has no vertex 'z'"),
            ("x 1 1\nx 2 y", "s.txt:2: similarity 'y' is not a number"),
            ("x 1 inf", "s.txt:1: similarity 'inf' is not finite"),
            ("x 1 1\n\nx 1 2", "s.txt:3: the pair 'x', '1' was already in line 1"),
        ] {
            let message = triples(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn triples_of_many_vertices_take_no_matrix() {
        let many = NamedGraph::numbered(Graph::directed(400_000, []).unwrap());
        let read = parse_similarity_triples(Path::new("s.txt"), b"399999 7 0.5\n", &many, &many).unwrap();
        assert_eq!((read.shape(), read.triples().collect::<Vec<_>>()), ((400_000, 400_000), vec![(399_999, 7, 0.5)]));
    }

    #[test]
    fn the_extension_decides_what_a_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let graph = vertices(&["0", "1", "2"]);
        let text = "0,1,2\n1,2,3\n2,1,5\n";
        let listed = SparseMatrix::from_entries((3, 3), [(0, 1, 2.0), (1, 2, 3.0), (2, 1, 5.0)]).unwrap();
        for (name, expected) in [
            ("s.CSV", Similarity::Dense(dmatrix![0.0, 1.0, 2.0; 1.0, 2.0, 3.0; 2.0, 1.0, 5.0])),
            ("s.txt", Similarity::Sparse(listed)),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let most = SimilarityFile::read(&path, &graph).unwrap().most_entries();
            assert_eq!(most, matches!(expected, Similarity::Sparse(_)).then_some(4));
            assert_eq!(read_similarity(&path, &graph, &graph).unwrap(), expected);
        }
    }
}
