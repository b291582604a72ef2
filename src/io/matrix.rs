//! Dense matrices as CSV, and the graphs they are the adjacency matrices of.

use super::delimited::{Rows, rows_of};
use super::edge_list;
use super::fields::{Field, Separator, fields, is_header, quote_name};
use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::numpy::{array_of, is_array};
use super::reading::{GraphFile, Reading};
use super::source::read_source;
use super::symmetry::accept;
use super::text::{decode, finite, lines, number, shown, source_name};
use super::write_atomically;
use crate::error::{Error, Result};
use crate::graph::Graph;
use nalgebra::DMatrix;
use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;

/// Reads a dense matrix of any shape: one row a line, its numbers separated by commas (or spaces, semicolons, tabs); or
/// a NumPy array (.npy, or the only one in a .npz).
///
/// ```text
/// anna,bert,carl         an optional header: the names of the columns
/// 0,1.5,0
/// 1.5,0,2
/// ```
///
/// The first line is a header when a field in it behind the first is no number, when its first field is empty
/// (`,anna,bert`) or its only one is no number. Rows may begin with a name; whether they do, the first row
/// says: its first field is no number, or the header begins with an empty field or is one field short.
/// Names that are numbers are put in double quotes. This function checks names and returns the numbers.
///
/// ```
/// let matrix = birkhoff::io::parse_matrix("m.csv".as_ref(), b"anna,bert\n0,1.5\n1.5,0\n7,8\n")?;
/// assert_eq!((matrix.shape(), matrix[(2, 1)]), ((3, 2), 8.0));
/// # Ok::<(), birkhoff::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]; [`Error::Parse`] with the line when a row has more or fewer fields than the first, when
/// an entry (its column is named) is no finite number, when a name is empty or occurs twice; [`Error::File`]
/// when there is no number. O(bytes).
pub fn read_matrix(path: &Path) -> Result<DMatrix<f64>> {
    let (source, bytes) = read_source(path)?;
    if is_array(&bytes) { array_of(&source, &bytes) } else { parse_matrix(&source, &bytes) }
}

/// [`read_matrix`] of text from memory; `source` names the bytes in messages.
///
/// # Errors
/// As [`read_matrix`].
pub fn parse_matrix(source: &Path, bytes: &[u8]) -> Result<DMatrix<f64>> {
    Table::parse(source, bytes).map(|table| table.matrix())
}

/// Writes a dense matrix as CSV without a header, atomically. Reading it back gives the same numbers.
///
/// # Errors
/// [`Error::File`] when the matrix has no entry or one that is not finite; and as [`write_atomically`].
pub fn write_matrix(path: &Path, matrix: &DMatrix<f64>) -> Result<()> {
    if matrix.is_empty() || !matrix.iter().all(|entry| entry.is_finite()) {
        return Err(Error::file(
            source_name(path, "<stdout>"),
            "a matrix to write must have entries, all of them finite",
        ));
    }
    write_atomically(path, |file| write_rows(file, matrix))
}

/// Reads a graph as CSV: its dense adjacency matrix in the format of [`read_matrix`], or a row an edge.
///
/// ```text
/// anna,bert,carl
/// 0,1,0
/// 1,0,2.5
/// 0,2.5,0
/// ```
///
/// Row i, column j is the weight of the arc i → j, 0 means none. The names of the columns are the names of the
/// vertices; names of the rows, if there are any, must be the same in the same order. Without names the
/// vertices are "0", …, "n−1". A first row 0,1,…,n−1 or 1,…,n that is one row too many is a header, too.
///
/// Rows of two or three fields that are no square, and rows below a header such as `source,target,weight`, are edges,
/// in the format of [`parse_edge_list`](super::parse_edge_list).
///
/// # Errors
/// As [`read_matrix`]; [`Error::File`] when the matrix is not square, or when `directed` is false but it is
/// not symmetric (but for rounding); as [`parse_edge_list`](super::parse_edge_list) for edges. O(bytes).
pub fn parse_csv_graph(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let text = decode(source, bytes)?;
    // Who says CSV does not mean a list with spaces.
    let may_be_edges = reading.format.is_none() || Separator::of(&text) != Separator::Any;
    if may_be_edges && rows_of(&text, true) == Rows::Edges {
        return edge_list::read(source, bytes, reading);
    }
    let (named, note) = accept(source, adjacency(source, Table::parse(source, bytes)?)?, reading)?;
    Ok(GraphFile { notes: note.into_iter().collect(), ..GraphFile::new(GraphFormat::Csv, named) })
}

fn adjacency(source: &Path, mut table: Table) -> Result<NamedGraph> {
    table.take_numbers_for_header(table.width);
    let (rows, columns) = (table.height(), table.width);
    if rows != columns {
        let below = if table.columns.is_some() { " below the header" } else { "" };
        let cause = format!("an adjacency matrix is square, but this one has {rows} rows{below} and {columns} columns");
        let hint = if columns == 3 { "; --format edge-list reads a row as an edge" } else { "" };
        return Err(Error::file(source, cause + hint));
    }
    if let (Some(rows), Some(columns)) = (&table.rows, &table.columns)
        && let Some(k) = (0..rows.len()).find(|&k| rows[k] != columns[k])
    {
        let (row, column) = (shown(&rows[k]), shown(&columns[k]));
        let cause = format!("row {} is called {row}, but column {} is called {column}", k + 1, k + 1);
        return Err(Error::file(source, cause));
    }
    let graph = Graph::from_matrix(&table.matrix())?;
    Ok(match table.columns.or(table.rows) {
        Some(names) => NamedGraph { graph, names },
        None => NamedGraph::numbered(graph),
    })
}

pub(super) fn write_graph(file: &mut dyn Write, named: &NamedGraph) -> io::Result<()> {
    for (i, name) in named.names.iter().enumerate() {
        write!(file, "{}{}", if i == 0 { "" } else { "," }, quote_name(name))?;
    }
    writeln!(file)?;
    write_rows(file, &named.graph.to_matrix())
}

fn write_rows(file: &mut dyn Write, matrix: &DMatrix<f64>) -> io::Result<()> {
    for row in matrix.row_iter() {
        for (j, &entry) in row.iter().enumerate() {
            write!(file, "{}{}", if j == 0 { "" } else { "," }, number(entry))?;
        }
        writeln!(file)?;
    }
    Ok(())
}

/// A matrix with the names of its columns and rows, as far as the file has them.
#[derive(Debug)]
pub(super) struct Table {
    pub columns: Option<Vec<String>>,
    pub rows: Option<Vec<String>>,
    pub width: usize,
    /// Row by row.
    values: Vec<f64>,
}

impl Table {
    pub fn parse(source: &Path, bytes: &[u8]) -> Result<Self> {
        let text = decode(source, bytes)?;
        let separator = Separator::of(&text);
        let mut records = lines(&text)
            .map(|(line, content)| fields(source, line, content, separator).map(|fields| (line, fields)))
            .filter(|record| !matches!(record, Ok((_, fields)) if fields.is_empty()))
            .peekable();
        let header = match records.next_if(|record| matches!(record, Ok((_, fields)) if is_header(fields))) {
            Some(record) => Some(record?),
            None => None,
        };
        let Some(first) = records.next() else {
            return Err(Error::file(source, "there is no number in the file"));
        };
        let (first_line, first) = first?;

        let named_rows = !first[0].is_number()
            || header.as_ref().is_some_and(|(_, names)| names[0].is_missing() || names.len() + 1 == first.len());
        let (row_length, width) = (first.len(), first.len() - usize::from(named_rows));
        if width == 0 {
            return Err(Error::parse(source, first_line, format!("{} is not a number", shown(&first[0].text))));
        }
        let columns = match header {
            Some((line, names)) => Some(column_names(source, line, names, row_length, width, first_line)?),
            None => None,
        };
        let mut table = Table { columns, rows: named_rows.then(Vec::new), width, values: Vec::new() };
        let mut names_seen = HashSet::new();
        for record in std::iter::once(Ok((first_line, first))).chain(records) {
            let (line, mut row) = record?;
            if row.len() != row_length {
                let cause = format!("{} fields, but line {first_line} has {row_length}", row.len());
                return Err(Error::parse(source, line, cause));
            }
            if let Some(names) = &mut table.rows {
                let name = row[0].text.to_string();
                row[0].text = "".into();
                accept_name(source, line, &name, names_seen.insert(name.clone()))?;
                names.push(name);
            }
            for (index, entry) in row.iter().enumerate().skip(row_length - width) {
                let number = finite(source, line, format_args!("column {}:", index + 1), &entry.text)?;
                table.values.push(number);
            }
        }
        Ok(table)
    }

    pub fn height(&self) -> usize {
        self.values.len() / self.width
    }

    pub fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_row_slice(self.height(), self.width, &self.values)
    }

    /// Takes a first row 0, 1, … or 1, 2, … for the header if there is one row more than `height`.
    ///
    /// Data frames without column names are written so, and it cannot be told from data by itself.
    pub fn take_numbers_for_header(&mut self, height: usize) {
        if self.columns.is_some() || self.rows.is_some() || self.height() != height.saturating_add(1) {
            return;
        }
        let first = &self.values[..self.width];
        let counts_from = |start: usize| first.iter().enumerate().all(|(k, &value)| value == (start + k) as f64);
        if counts_from(0) || counts_from(1) {
            self.columns = Some(first.iter().map(|&value| number(value)).collect());
            self.values.drain(..self.width);
        }
    }
}

fn column_names(
    source: &Path,
    line: usize,
    names: Vec<Field>,
    row_length: usize,
    width: usize,
    first_line: usize,
) -> Result<Vec<String>> {
    // The corner above the row names may be there or not.
    let corner = names.len() - width.min(names.len());
    if names.len() < width || corner > row_length - width {
        let cause = format!("the header has {} fields, but line {first_line} has {row_length}", names.len());
        return Err(Error::parse(source, line, cause));
    }
    let mut seen = HashSet::new();
    let names: Vec<String> = names.into_iter().skip(corner).map(|field| field.text.into_owned()).collect();
    for name in &names {
        accept_name(source, line, name, seen.insert(name.as_str()))?;
    }
    Ok(names)
}

fn accept_name(source: &Path, line: usize, name: &str, is_new: bool) -> Result<()> {
    if name.is_empty() {
        return Err(Error::parse(source, line, "a name is empty"));
    }
    if !is_new {
        return Err(Error::parse(source, line, format!("the name {} is there twice", shown(name))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::dmatrix;

    fn table(text: &str) -> Table {
        Table::parse(Path::new("a.csv"), text.as_bytes()).unwrap()
    }

    fn graph(text: &str, directed: bool) -> Result<NamedGraph> {
        parse_csv_graph(Path::new("a.csv"), text.as_bytes(), directed)
    }

    #[test]
    fn matrices_of_any_shape_are_read() {
        let parse = |text: &str| parse_matrix(Path::new("a.csv"), text.as_bytes()).unwrap();
        assert_eq!(parse("1,2,-3e2\r\n\n4,.5,6 # c\n"), dmatrix![1.0, 2.0, -300.0; 4.0, 0.5, 6.0]);
        assert_eq!(parse("1;2\n"), dmatrix![1.0, 2.0]);
        assert_eq!(parse("x\n7"), dmatrix![7.0]);
    }

    #[test]
    fn headers_and_row_names_are_told_from_numbers() {
        let names = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.join("|"));
        for (text, columns, rows) in [
            ("0,1\n1,0", None, None),
            ("x,y\n0,1\n1,0", Some("x|y"), None),
            ("\"5\",\"6\"\n0,1\n1,0", Some("5|6"), None),
            ("5,y\n0,1\n1,0", Some("5|y"), None),
            (",x,y\nx,0,1\ny,1,0", Some("x|y"), Some("x|y")),
            (",0,1\n0,0.0,1.0\n1,1.0,0.0", Some("0|1"), Some("0|1")),
            ("\"\",\"V 1\",\"V2\"\n\"1\",0,1\n\"2\",1,0", Some("V 1|V2"), Some("1|2")),
            ("x y\nx 0 1\ny 1 0", Some("x|y"), Some("x|y")),
            ("vertex,x,y\nx,0,1\ny,1,0", Some("x|y"), Some("x|y")),
            ("x,0,1\ny,1,0", None, Some("x|y")),
        ] {
            let table = table(text);
            assert_eq!((names(&table.columns).as_deref(), names(&table.rows).as_deref()), (columns, rows), "{text}");
            assert_eq!(table.matrix(), dmatrix![0.0, 1.0; 1.0, 0.0], "{text}");
        }
    }

    #[test]
    fn a_graph_has_the_names_of_its_columns() {
        let named = graph("x,y\n0,2\n2,1", false).unwrap();
        assert_eq!(named.names, ["x", "y"]);
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 1, 2.0), (1, 0, 2.0), (1, 1, 1.0)]);
        assert_eq!(graph("0,2\n2,1", false).unwrap().names, ["0", "1"]);
        assert_eq!(graph("1,2\n0,2\n2,1", false).unwrap().names, ["1", "2"]);
        assert_eq!(graph("x,0,2\ny,2,1", false).unwrap().names, ["x", "y"]);
    }

    #[test]
    fn rows_that_are_edges_are_read_as_edges() {
        for text in ["source,target,weight\nx,y,2\ny,z,3", "x,y,2\ny,z,3\n"] {
            let file = read(Path::new("a.csv"), text.as_bytes(), &Reading::default()).unwrap();
            assert_eq!(
                (file.format, file.named.names.join(" ")),
                (GraphFormat::EdgeList, "x y z".to_string()),
                "{text}"
            );
            assert_eq!(file.named.graph.weight(2, 1), 3.0);
        }
    }

    #[test]
    fn an_asymmetric_matrix_needs_directed() {
        let message = graph("0,1\n0,0", false).unwrap_err().to_string();
        assert!(message.starts_with("a.csv: not an undirected graph: the weight from '0' to '1' is 1, but 0 from"));
        assert!(message.contains("--directed"));
        assert_eq!(graph("0,1\n0,0", true).unwrap().graph.arc_count(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_line_and_column() {
        for (text, expected) in [
            ("", "a.csv: there is no number"),
            ("# c\nx,y\n", "a.csv: there is no number"),
            ("1,2\n\n3", "a.csv:3: 1 fields, but line 1 has 2"),
            ("1,2\n3,4,5", "a.csv:2: 3 fields"),
            ("1,2\n3,x", "a.csv:2: column 2: 'x' is not a number"),
            ("x,1,2\ny,3,z", "a.csv:2: column 3: 'z' is not a number"),
            ("1,2\n3,", "a.csv:2: column 2: '' is not a number"),
            ("1,2\nnan,0", "a.csv:2: column 1: 'nan' is not finite"),
            ("inf,2\n1,0", "a.csv:1: column 1: 'inf' is not finite"),
            ("x,y,z\n1,2", "a.csv:1: the header has 3 fields, but line 2 has 2"),
            ("x,y\n1,2,3,4", "a.csv:1: the header has 2 fields, but line 2 has 4"),
            ("x,x\n1,2", "a.csv:1: the name 'x' is there twice"),
            ("x,\n1,2", "a.csv:1: a name is empty"),
            ("x,1\nx,2", "a.csv:2: the name 'x' is there twice"),
            ("x\ny", "a.csv:2: 'y' is not a number"),
            ("1,2\n\"3", "a.csv:2: a quote is not closed"),
        ] {
            let message = Table::parse(Path::new("a.csv"), text.as_bytes()).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
        for (text, expected) in [
            ("1,2,3,4", "a.csv: an adjacency matrix is square, but this one has 1 rows and 4 columns"),
            ("w,x,y,z\n1,2,3,4", "a.csv: an adjacency matrix is square, but this one has 1 rows below the header"),
            (
                "0,1,0\n1,0,0",
                "a.csv: an adjacency matrix is square, but this one has 2 rows and 3 columns; --format edge-list",
            ),
            (",x,y\nx,0,1\nz,1,0", "a.csv: row 2 is called 'z', but column 2 is called 'y'"),
        ] {
            let message = graph(text, true).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_written_matrix_is_read_back_exactly() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.csv");
        let matrix = dmatrix![0.1, -1e-300, 3.0; f64::MAX, 0.0, 1.0 / 3.0];
        write_matrix(&path, &matrix).unwrap();
        assert_eq!(read_matrix(&path).unwrap(), matrix);
        for refused in [dmatrix![f64::NAN], DMatrix::zeros(0, 2)] {
            let message = write_matrix(&path, &refused).unwrap_err().to_string();
            assert!(message.contains("m.csv: a matrix to write"), "{message}");
        }
        assert_eq!(read_matrix(&path).unwrap(), matrix);
    }
}
