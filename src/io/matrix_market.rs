//! Matrix Market files: sparse and dense matrices (R. F. Boisvert, R. Pozo, K. A. Remington, *The Matrix
//! Market exchange formats: initial design*, NISTIR 5935, 1996).

use super::MAX_VERTICES;
use super::edges::{Kind, Rows};
use super::graph_format::GraphFormat;
use super::listing::{listed_edges, write_summary};
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading, Repeated};
use super::symmetry::accept;
use super::text::{decode, finite, lines, number, shown};
use crate::error::{Error, Result};
use crate::graph::Graph;
use std::io::{self, Write};
use std::path::Path;

/// Reads a square matrix in the Matrix Market format as the adjacency matrix of a graph.
///
/// ```text
/// %%MatrixMarket matrix coordinate real symmetric
/// % rows columns entries, then one entry a line: row column value, counted from 1
/// 3 3 2
/// 2 1 1.0
/// 3 2 2.5
/// ```
///
/// `coordinate` or `array`; `real`, `integer`, `unsigned-integer` or `pattern` (without values: weight 1); `general`,
/// `symmetric` or `skew-symmetric`. Of a symmetric matrix each entry off the diagonal stands for itself and its mirror
/// image, of a skew-symmetric one the image has the opposite sign. The vertices are called "1", …, "n", as the file
/// counts. Entries 0 are no edges; entries given twice are added, as SciPy's reader does, unless [`Reading::repeated`]
/// says otherwise.
///
/// ```
/// let text = b"%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n2 1 1.0\n3 2 2.5\n";
/// let named = birkhoff::io::parse_matrix_market("path.mtx".as_ref(), text, false)?;
/// assert_eq!((named.graph.weight(1, 2), named.names[2].as_str()), (2.5, "3"));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Parse`] with the line: a header that is none or that says `complex` or `hermitian`, a matrix that is not
/// square or larger than [`MAX_VERTICES`], an index out of range, a value that is not finite, too many entries.
/// [`Error::File`] when the file ends early, or when `directed` is false but the matrix is not symmetric (but for
/// rounding). O(bytes + n + m log m).
pub fn parse_matrix_market(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = decode(source, bytes)?;
    let file = MatrixFile { source, header: header(source, &text)? };
    let mut data = lines(&text).filter(|(_, line)| !line.trim_start().starts_with('%') && !line.trim().is_empty());
    let Some((line, sizes)) = data.next() else {
        return Err(Error::file(source, "the line with the sizes of the matrix is missing"));
    };
    let (n, entries) = file.sizes(line, sizes)?;
    let (graph, repeated, names) = match entries {
        Some(entries) => {
            let rows = file.coordinates(n, entries, line, data)?;
            let names: Vec<String> = (1..=n).map(|i| i.to_string()).collect();
            let resolved = rows.resolve(source, Kind::Arcs, &adding(reading), &names)?;
            (file.mirrored(n, resolved.edges)?, resolved.repeated, names)
        }
        None => (file.array(n, data)?, 0, (1..=n).map(|i| i.to_string()).collect()),
    };
    let (named, note) = accept(source, NamedGraph { graph, names }, reading)?;
    let notes = adding(reading).repeated.note(repeated).into_iter().chain(note).collect();
    Ok(GraphFile { repeated, notes, ..GraphFile::new(GraphFormat::MatrixMarket, named) })
}

/// `reading` where repeated entries of a matrix in coordinates are added, as such formats mean them.
pub(super) fn adding(reading: &Reading) -> Reading {
    let repeated = if reading.repeated == Repeated::Agree { Repeated::Sum } else { reading.repeated };
    Reading { repeated, ..reading.clone() }
}

#[derive(Clone, Copy, PartialEq)]
enum Layout {
    Coordinate,
    Array,
}

#[derive(Clone, Copy, PartialEq)]
enum Values {
    Real,
    Integer,
    Pattern,
}

#[derive(Clone, Copy, PartialEq)]
enum Symmetry {
    General,
    Symmetric,
    SkewSymmetric,
}

type Header = (Layout, Values, Symmetry);

/// `%%MatrixMarket matrix LAYOUT VALUES SYMMETRY`, in upper or lower case.
fn header(source: &Path, text: &str) -> Result<Header> {
    let refuse = |cause: String| Err(Error::parse(source, 1, cause));
    let first = text.lines().next().unwrap_or("").to_lowercase();
    let words: Vec<&str> = first.split_whitespace().collect();
    let ["%%matrixmarket", "matrix", layout, values, symmetry] = words[..] else {
        let form = "%%MatrixMarket matrix coordinate|array real|integer|unsigned-integer|pattern general|symmetric|skew-symmetric";
        return refuse(format!("the first line must be `{form}`, but is {}", shown(text.lines().next().unwrap_or(""))));
    };
    let layout = match layout {
        "coordinate" => Layout::Coordinate,
        "array" => Layout::Array,
        _ => return refuse(format!("layout {} is neither coordinate nor array", shown(layout))),
    };
    let values = match values {
        "real" | "double" => Values::Real,
        "integer" | "unsigned-integer" => Values::Integer,
        "pattern" => Values::Pattern,
        "complex" => return refuse("complex weights are not supported".to_string()),
        _ => return refuse(format!("values {} are none of real, integer, unsigned-integer, pattern", shown(values))),
    };
    let symmetry = match symmetry {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        "skew-symmetric" => Symmetry::SkewSymmetric,
        "hermitian" => return refuse("hermitian matrices are complex, which is not supported".to_string()),
        _ => return refuse(format!("symmetry {} is none of general, symmetric, skew-symmetric", shown(symmetry))),
    };
    if values == Values::Pattern && (layout == Layout::Array || symmetry == Symmetry::SkewSymmetric) {
        return refuse("a pattern can be neither an array nor skew-symmetric".to_string());
    }
    Ok((layout, values, symmetry))
}

struct MatrixFile<'s> {
    source: &'s Path,
    header: Header,
}

impl MatrixFile<'_> {
    fn refuse<T>(&self, line: usize, cause: impl Into<String>) -> Result<T> {
        Err(Error::parse(self.source, line, cause))
    }

    /// `rows columns entries`, or `rows columns` for an array: n and the number of entries.
    fn sizes(&self, line: usize, content: &str) -> Result<(usize, Option<usize>)> {
        let sizes = content.split_whitespace().map(|word| match word.parse::<usize>() {
            Ok(size) => Ok(size),
            Err(_) => self.refuse(line, format!("size {} is no whole number", shown(word))),
        });
        let sizes = sizes.collect::<Result<Vec<usize>>>()?;
        let (n, columns, entries) = match (self.header.0, &sizes[..]) {
            (Layout::Coordinate, &[n, columns, entries]) => (n, columns, Some(entries)),
            (Layout::Array, &[n, columns]) => (n, columns, None),
            (Layout::Coordinate, _) => return self.refuse(line, "this line must be `rows columns entries`"),
            (Layout::Array, _) => return self.refuse(line, "this line must be `rows columns`"),
        };
        if n != columns {
            return self.refuse(line, format!("an adjacency matrix is square, but this one is {n} x {columns}"));
        }
        if n > MAX_VERTICES {
            return self.refuse(line, format!("{n} vertices are more than the {MAX_VERTICES} that are supported"));
        }
        Ok((n, entries))
    }

    /// `row column [value]` a line.
    fn coordinates<'t>(
        &self,
        n: usize,
        entries: usize,
        sizes_line: usize,
        data: impl Iterator<Item = (usize, &'t str)>,
    ) -> Result<Rows> {
        let (_, values, symmetry) = self.header;
        let mut rows = Rows::default();
        let mut found = 0;
        for (line, content) in data {
            if found == entries {
                return self.refuse(line, format!("more than the {entries} entries that line {sizes_line} states"));
            }
            found += 1;
            let mut words = content.split_whitespace();
            let (row, column) = (words.next(), words.next());
            let value = if values == Values::Pattern { Some("1") } else { words.next() };
            let (Some(row), Some(column), Some(value), None) = (row, column, value, words.next()) else {
                let form = if values == Values::Pattern { "row column" } else { "row column value" };
                return self.refuse(line, format!("an entry must be `{form}`"));
            };
            let (i, j) = (self.index(line, n, "row", row)?, self.index(line, n, "column", column)?);
            let value = self.value(line, value)?;
            if symmetry == Symmetry::SkewSymmetric && i == j && value != 0.0 {
                return self.refuse(line, "a skew-symmetric matrix has zeros on its diagonal");
            }
            rows.add(line, (i, j), value);
        }
        if found < entries {
            return self.ends_early(entries as u64, found as u64);
        }
        Ok(rows)
    }

    /// The graph of the entries and, as the symmetry says, their mirror images; where both are given they are added.
    fn mirrored(&self, n: usize, entries: Vec<(usize, usize, f64)>) -> Result<Graph> {
        let image = |&(i, j, value): &(usize, usize, f64)| match self.header.2 {
            Symmetry::Symmetric if i != j => Some((j, i, value)),
            Symmetry::SkewSymmetric if i != j => Some((j, i, -value)),
            _ => None,
        };
        let images: Vec<_> = entries.iter().filter_map(image).collect();
        let graph = Graph::directed(n, entries.into_iter().chain(images));
        match graph.as_ref().map(|graph| graph.arcs().all(|(_, _, weight)| weight.is_finite())) {
            Ok(true) => graph,
            _ => Err(Error::file(self.source, "an entry and the mirror image of another add up to infinity")),
        }
    }

    /// One value after the other, column by column; of a symmetric matrix the lower triangle, of a
    /// skew-symmetric one without its diagonal.
    fn array<'t>(&self, n: usize, data: impl Iterator<Item = (usize, &'t str)>) -> Result<Graph> {
        let symmetry = self.header.2;
        let first_row = |column: usize| match symmetry {
            Symmetry::General => 0,
            Symmetry::Symmetric => column,
            Symmetry::SkewSymmetric => column + 1,
        };
        let mut values = data.flat_map(|(line, content)| content.split_whitespace().map(move |word| (line, word)));
        let mut arcs = Vec::new();
        let mut found = 0;
        for (i, j) in (0..n).flat_map(|j| (first_row(j)..n).map(move |i| (i, j))) {
            let Some((line, word)) = values.next() else {
                let n = n as u64; // at most 10⁶, so n² fits
                let expected = match symmetry {
                    Symmetry::General => n * n,
                    Symmetry::Symmetric => n * (n + 1) / 2,
                    Symmetry::SkewSymmetric => n * (n - 1) / 2,
                };
                return self.ends_early(expected, found);
            };
            found += 1;
            let value = self.value(line, word)?;
            if value != 0.0 {
                arcs.push((i, j, value));
                match symmetry {
                    Symmetry::Symmetric if i != j => arcs.push((j, i, value)),
                    Symmetry::SkewSymmetric => arcs.push((j, i, -value)),
                    _ => {}
                }
            }
        }
        if let Some((line, _)) = values.next() {
            return self.refuse(line, format!("more than the {found} values that the matrix has"));
        }
        Graph::directed(n, arcs)
    }

    fn index(&self, line: usize, n: usize, what: &str, word: &str) -> Result<usize> {
        match word.parse::<usize>() {
            Ok(index) if (1..=n).contains(&index) => Ok(index - 1),
            _ => self.refuse(line, format!("{what} {} is none of 1..{n}", shown(word))),
        }
    }

    fn value(&self, line: usize, word: &str) -> Result<f64> {
        let value = finite(self.source, line, "value", word)?;
        if self.header.1 == Values::Integer && value.fract() != 0.0 {
            return self.refuse(line, format!("value {} is no integer, as the header says", shown(word)));
        }
        Ok(value)
    }

    fn ends_early<T>(&self, expected: u64, found: u64) -> Result<T> {
        Err(Error::file(self.source, format!("the file ends early: {expected} entries stated, {found} found")))
    }
}

/// Coordinates, the lower triangle if undirected; the names in comments, as the format has no place for them.
pub(super) fn write(file: &mut dyn Write, named: &NamedGraph, directed: bool) -> io::Result<()> {
    let NamedGraph { graph, names } = named;
    writeln!(file, "%%MatrixMarket matrix coordinate real {}", if directed { "general" } else { "symmetric" })?;
    write!(file, "% ")?;
    write_summary(file, graph, directed)?;
    writeln!(file)?;
    if names.iter().enumerate().any(|(i, name)| *name != (i + 1).to_string()) {
        for (i, name) in names.iter().enumerate() {
            writeln!(file, "% {} is {name}", i + 1)?;
        }
    }
    let n = graph.vertex_count();
    writeln!(file, "{n} {n} {}", listed_edges(graph, directed).count())?;
    for (i, j, weight) in listed_edges(graph, directed) {
        let (row, column) = if directed { (i, j) } else { (j, i) };
        writeln!(file, "{} {} {}", row + 1, column + 1, number(weight))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{DMatrix, dmatrix};

    fn parse(header: &str, rest: &str, directed: bool) -> Result<NamedGraph> {
        let text = format!("%%MatrixMarket matrix {header}\n{rest}");
        parse_matrix_market(Path::new("a.mtx"), text.as_bytes(), directed)
    }

    fn matrix(header: &str, rest: &str) -> DMatrix<f64> {
        parse(header, rest, true).unwrap().graph.to_matrix()
    }

    #[test]
    fn coordinates_of_all_kinds_are_read() {
        let general = matrix("Coordinate Real General", "% c\n\n2 2 3\n1 2 1.5 \n2 1 -2e0\n1 1 0\n");
        assert_eq!(general, dmatrix![0.0, 1.5; -2.0, 0.0]);
        assert_eq!(matrix("coordinate integer symmetric", "2 2 2\n2 1 3\n1 1 4"), dmatrix![4.0, 3.0; 3.0, 0.0]);
        assert_eq!(matrix("coordinate pattern general", "2 2 1\n1 2"), dmatrix![0.0, 1.0; 0.0, 0.0]);
        assert_eq!(matrix("coordinate real skew-symmetric", "2 2 1\n2 1 3"), dmatrix![0.0, -3.0; 3.0, 0.0]);
    }

    #[test]
    fn entries_given_twice_are_added_as_scipy_adds_them_or_as_the_reading_says() {
        let twice = "2 2 3\n1 2 1\n1 2 4\n2 1 1";
        assert_eq!(matrix("coordinate real general", twice), dmatrix![0.0, 5.0; 1.0, 0.0]);
        assert_eq!(matrix("coordinate unsigned-integer symmetric", twice), dmatrix![0.0, 6.0; 6.0, 0.0]);
        assert_eq!(matrix("coordinate real skew-symmetric", twice), dmatrix![0.0, 4.0; -4.0, 0.0]);
        assert_eq!(matrix("coordinate pattern general", "2 2 2\n1 2\n1 2"), dmatrix![0.0, 2.0; 0.0, 0.0]);
        let by = |repeated| {
            let text = format!("%%MatrixMarket matrix coordinate real general\n{twice}");
            let reading = Reading { repeated, ..Reading::new(true) };
            read(Path::new("a.mtx"), text.as_bytes(), &reading).map(|file| (file.named.graph.weight(0, 1), file.notes))
        };
        assert_eq!(by(Repeated::Max).unwrap().0, 4.0);
        assert_eq!(
            by(Repeated::Agree).unwrap(),
            (5.0, vec!["1 row repeats an edge before: their weights are added".to_string()])
        );
        assert!(by(Repeated::Error).is_err());
    }

    #[test]
    fn arrays_are_read_column_by_column() {
        assert_eq!(matrix("array real general", "2 2\n1\n2\n3\n4"), dmatrix![1.0, 3.0; 2.0, 4.0]);
        assert_eq!(matrix("array real symmetric", "2 2\n1\n2 3"), dmatrix![1.0, 2.0; 2.0, 3.0]);
        assert_eq!(matrix("array integer skew-symmetric", "2 2\n5"), dmatrix![0.0, -5.0; 5.0, 0.0]);
    }

    #[test]
    fn vertices_are_called_as_the_file_counts_and_may_have_no_edge() {
        let named = parse("coordinate pattern symmetric", "3 3 1\n2 1", false).unwrap();
        assert_eq!(named.names, ["1", "2", "3"]);
        assert_eq!(named.graph.edge_count(), 1);
    }

    #[test]
    fn a_matrix_that_is_not_symmetric_needs_directed() {
        for (header, rest) in
            [("coordinate real general", "2 2 1\n1 2 3"), ("coordinate real skew-symmetric", "2 2 1\n2 1 -3")]
        {
            let message = parse(header, rest, false).unwrap_err().to_string();
            assert!(
                message.starts_with("a.mtx: not an undirected graph: the weight from '1' to '2' is 3"),
                "{message}"
            );
            assert!(message.contains("--directed"), "{message}");
        }
        assert!(parse("coordinate real general", "2 2 2\n1 2 3\n2 1 3", false).is_ok());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let coordinate = "coordinate real general";
        for (header, rest, expected) in [
            ("graph", "", "a.mtx:1: the first line must be"),
            ("sparse real general", "", "a.mtx:1: layout 'sparse'"),
            ("array pattern general", "", "a.mtx:1: a pattern"),
            ("coordinate complex general", "", "a.mtx:1: complex weights"),
            ("coordinate complex hermitian", "", "a.mtx:1: complex weights"),
            ("coordinate real hermitian", "", "a.mtx:1: hermitian"),
            ("coordinate text general", "", "a.mtx:1: values 'text'"),
            ("coordinate real diagonal", "", "a.mtx:1: symmetry 'diagonal'"),
            (coordinate, "", "a.mtx: the line with the sizes"),
            (coordinate, "% c\n2 2", "a.mtx:3: this line must be `rows columns entries`"),
            ("array real general", "2 2 1", "a.mtx:2: this line must be `rows columns`"),
            (coordinate, "2 -2 1", "a.mtx:2: size '-2'"),
            (coordinate, "2 3 1", "a.mtx:2: an adjacency matrix is square, but this one is 2 x 3"),
            (coordinate, "0 0 0", "a.mtx: the graph has no vertex"),
            (coordinate, "2 2 1\n3 1 1", "a.mtx:3: row '3' is none of 1..2"),
            (coordinate, "2 2 1\n1 0 1", "a.mtx:3: column '0' is none of 1..2"),
            (coordinate, "2 2 1\n1 -1 1", "a.mtx:3: column '-1'"),
            (coordinate, "2 2 1\n1 2", "a.mtx:3: an entry must be `row column value`"),
            ("coordinate pattern general", "2 2 1\n1 2 1", "a.mtx:3: an entry must be `row column`"),
            (coordinate, "2 2 1\n1 2 inf", "a.mtx:3: value 'inf' is not finite"),
            (coordinate, "2 2 1\n1 2 x", "a.mtx:3: value 'x' is not a number"),
            ("coordinate integer general", "2 2 1\n1 2 1.5", "a.mtx:3: value '1.5' is no integer"),
            (coordinate, "2 2 2\n1 2 1", "a.mtx: the file ends early: 2 entries stated, 1 found"),
            (coordinate, "2 2 1\n1 2 1\n2 1 1", "a.mtx:4: more than the 1 entries that line 2"),
            (
                coordinate,
                "2 2 2\n1 2 1e308\n1 2 1e308",
                "a.mtx:4: the arc from '1' to '2' has weight 1e308, but 1e308 in",
            ),
            ("coordinate real symmetric", "2 2 2\n1 2 1e308\n2 1 1e308", "a.mtx: an entry and the mirror image"),
            ("coordinate real skew-symmetric", "2 2 1\n1 1 1", "a.mtx:3: a skew-symmetric matrix"),
            ("array real general", "2 2\n1 2 3", "a.mtx: the file ends early: 4 entries stated, 3 found"),
            ("array real symmetric", "2 2\n1 2", "a.mtx: the file ends early: 3 entries stated, 2 found"),
            ("array real skew-symmetric", "2 2\n", "a.mtx: the file ends early: 1 entries stated, 0 found"),
            ("array real symmetric", "2 2\n1 2 3\n4", "a.mtx:4: more than the 3 values"),
        ] {
            let message = parse(header, rest, true).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{header} {rest:?}: {message}");
        }
        assert!(parse_matrix_market(Path::new("a.mtx"), b"", true).unwrap_err().to_string().starts_with("a.mtx:1: "));
    }

    #[test]
    fn sizes_are_not_believed_before_the_data_is_there() {
        for (rest, expected) in [
            ("1000000000 1000000000 1\n", "a.mtx:2: 1000000000 vertices are more"),
            ("18446744073709551615 18446744073709551615 1", "a.mtx:2: 18446744073709551615 vertices are more"),
            ("18446744073709551616 1 1", "a.mtx:2: size"),
            ("2 2 1000000000000", "a.mtx: the file ends early"),
        ] {
            let message = parse("coordinate real general", rest, true).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
        let array = parse("array real general", "1000000 1000000\n1 2", true).unwrap_err().to_string();
        assert_eq!(array, "a.mtx: the file ends early: 1000000000000 entries stated, 2 found");
    }

    #[test]
    fn names_are_written_as_comments() {
        let graph = Graph::undirected(2, [(0, 1, 2.0)]).unwrap();
        let mut file = Vec::new();
        write(&mut file, &NamedGraph::new(graph, vec!["x".into(), "y".into()]).unwrap(), false).unwrap();
        let expected = "%%MatrixMarket matrix coordinate real symmetric\n% 2 vertices, 1 undirected edges\n\
                        % 1 is x\n% 2 is y\n2 2 1\n2 1 2\n";
        assert_eq!(String::from_utf8(file).unwrap(), expected);
    }
}
