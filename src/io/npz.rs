//! NumPy's archives (`.npz`): ZIP files of arrays. SciPy keeps a sparse matrix in one, as its parts.

use super::MAX_VERTICES;
use super::edges::{Kind, Rows};
use super::graph_format::GraphFormat;
use super::matrix_market::adding;
use super::named_graph::NamedGraph;
use super::npy::{self, parse_npy};
use super::reading::{GraphFile, Reading};
use super::source::{MAX_UNPACKED, at_most};
use super::tensor::Tensor;
use super::text::shown;
use crate::error::{Error, Result};
use std::io::Cursor;
use std::path::Path;
use zip::ZipArchive;

/// Reads a graph from a `.npz` file: a sparse adjacency matrix as `scipy.sparse.save_npz` writes it (`csr`, `csc`,
/// `coo`, `bsr`, `dia`), or the only array in it, dense and square.
///
/// Vertices are called "0", …, "n−1". Entries given twice are added, as SciPy does, unless [`Reading::repeated`] says
/// otherwise.
///
/// # Errors
/// [`Error::File`] when it is broken, when arrays lack or do not fit together, when an index is out of range, when the
/// matrix is not square or larger than [`MAX_VERTICES`], when an entry is not finite, when it unpacks to more than
/// [`MAX_UNPACKED`] bytes, or when `directed` is false but it is not symmetric (but for rounding). O(bytes unpacked +
/// n).
pub fn parse_npz_graph(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    let mut archive = Archive::open(source, bytes)?;
    if archive.has("format") && archive.has("shape") {
        return sparse(&mut archive, reading);
    }
    npy::dense(source, GraphFormat::Npz, &archive.only(None)?, reading)
}

/// The array called `name`, or the only one, of a `.npz` file.
pub(super) fn parse_npz(source: &Path, bytes: &[u8], name: Option<&str>) -> Result<Tensor> {
    Archive::open(source, bytes)?.only(name)
}

/// The files in a ZIP archive.
pub(super) fn file_names(source: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    Archive::open(source, bytes).map(|archive| archive.names)
}

/// The arrays of an archive. Together they may be [`MAX_UNPACKED`] bytes.
struct Archive<'s> {
    source: &'s Path,
    zip: ZipArchive<Cursor<&'s [u8]>>,
    names: Vec<String>,
    left: u64,
}

impl<'s> Archive<'s> {
    fn open(source: &'s Path, bytes: &'s [u8]) -> Result<Self> {
        let broken = |error: String| Error::file(source, format!("a broken ZIP archive: {}", shown(&error)));
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
        let mut names = Vec::new();
        for k in 0..zip.len() {
            let file = zip.by_index_raw(k).map_err(|error| broken(error.to_string()))?;
            names.push(file.name().map_err(|error| broken(error.to_string()))?.to_string());
        }
        Ok(Archive { source, zip, names, left: MAX_UNPACKED })
    }

    fn refuse<T>(&self, cause: impl Into<String>) -> Result<T> {
        Err(Error::file(self.source, cause))
    }

    fn has(&self, array: &str) -> bool {
        self.place(array).is_some()
    }

    fn place(&self, array: &str) -> Option<usize> {
        self.names.iter().position(|name| name.strip_suffix(".npy").unwrap_or(name) == array)
    }

    fn bytes(&mut self, array: &str) -> Result<Vec<u8>> {
        let Some(place) = self.place(array) else {
            let names: Vec<String> =
                self.names.iter().take(12).map(|name| shown(name.trim_end_matches(".npy"))).collect();
            return self.refuse(format!("has no array {}; it has {}", shown(array), names.join(", ")));
        };
        let limit = self.left;
        let unpacked = match self.zip.by_index(place) {
            Ok(file) => at_most(file, limit),
            Err(error) => Err(format!("but broken: {error}")),
        };
        match unpacked {
            Ok(bytes) => {
                self.left -= bytes.len() as u64;
                Ok(bytes)
            }
            Err(cause) => self.refuse(format!("{} in a ZIP archive, {}", shown(array), shown(&cause))),
        }
    }

    fn array(&mut self, name: &str) -> Result<Tensor> {
        let bytes = self.bytes(name)?;
        parse_npy(self.source, &bytes)
    }

    /// The array called `name`, or the only one.
    fn only(&mut self, name: Option<&str>) -> Result<Tensor> {
        let name = match (name, &self.names[..]) {
            (Some(name), _) => name.to_string(),
            (None, [only]) => only.trim_end_matches(".npy").to_string(),
            (None, names) => {
                let names: Vec<String> =
                    names.iter().take(12).map(|name| shown(name.trim_end_matches(".npy"))).collect();
                return self
                    .refuse(format!("holds no sparse matrix of SciPy, and not one array but {}", names.join(", ")));
            }
        };
        self.array(&name)
    }

    /// An array of whole numbers from 0 on.
    fn indices(&mut self, name: &str) -> Result<Vec<usize>> {
        let array = self.array(name)?;
        match array.values.iter().find(|value| value.fract() != 0.0 || !(0.0..9e15).contains(*value)) {
            Some(value) => self.refuse(format!("{} holds {value}, which is no index", shown(name))),
            None => Ok(array.values.into_iter().map(|value| value as usize).collect()),
        }
    }
}

/// A matrix in one of SciPy's sparse formats.
fn sparse(archive: &mut Archive, reading: &Reading) -> Result<GraphFile> {
    let format = format_name(archive)?;
    let [rows, columns] = archive.indices("shape")?[..] else { return archive.refuse("a sparse matrix has two axes") };
    if rows != columns {
        return archive.refuse(format!("an adjacency matrix is square, but this one is {rows} x {columns}"));
    }
    if rows > MAX_VERTICES {
        return archive.refuse(format!("{rows} vertices are more than the {MAX_VERTICES} that are supported"));
    }
    let data = archive.array("data")?;
    let entries = match format.as_str() {
        "coo" => coordinates(archive, &data)?,
        "csr" => compressed(archive, &data, rows)?,
        "csc" => compressed(archive, &data, rows)?.into_iter().map(|(j, i, weight)| (i, j, weight)).collect(),
        "bsr" => blocks(archive, &data, rows)?,
        "dia" => diagonals(archive, &data, rows)?,
        _ => return archive.refuse(format!("sparse matrices of format {} cannot be read", shown(&format))),
    };
    let mut found = Rows::default();
    for (k, &(i, j, weight)) in entries.iter().enumerate() {
        if i >= rows || j >= rows {
            return archive.refuse(format!("entry ({i}, {j}) lies outside of the {rows} x {rows} matrix"));
        }
        found.add(k + 1, (i, j), weight);
    }
    let names = (0..rows).map(|i| i.to_string()).collect();
    found.into_file(archive.source, GraphFormat::Npz, Kind::Arcs, names, &adding(reading))
}

/// `csr` and the like: an array without axes that holds bytes or, from Python 2 or by hand, text.
fn format_name(archive: &mut Archive) -> Result<String> {
    let bytes = archive.bytes("format")?;
    let name: Vec<u8> = bytes.iter().rev().copied().filter(|&byte| byte != 0).take(3).collect();
    Ok(name.iter().rev().map(|&byte| char::from(byte)).collect())
}

type Entries = Vec<(usize, usize, f64)>;

fn coordinates(archive: &mut Archive, data: &Tensor) -> Result<Entries> {
    let (rows, columns) = (archive.indices("row")?, archive.indices("col")?);
    if rows.len() != data.values.len() || columns.len() != data.values.len() {
        return archive.refuse("the arrays row, col and data are not equally long");
    }
    Ok(rows.into_iter().zip(columns).zip(&data.values).map(|((i, j), &weight)| (i, j, weight)).collect())
}

/// The row and the column of each stored entry, or block, of a compressed matrix with this many rows.
fn places(archive: &mut Archive, rows: usize, stored: usize) -> Result<Vec<(usize, usize)>> {
    let (indices, starts) = (archive.indices("indices")?, archive.indices("indptr")?);
    let fits = starts.len() == rows + 1
        && starts.first() == Some(&0)
        && starts.is_sorted()
        && starts.last().is_some_and(|&end| end <= indices.len().min(stored));
    if !fits {
        return archive.refuse(format!("the arrays indptr, indices and data do not fit together for {rows} rows"));
    }
    Ok((0..rows).flat_map(|i| indices[starts[i]..starts[i + 1]].iter().map(move |&j| (i, j))).collect())
}

fn compressed(archive: &mut Archive, data: &Tensor, rows: usize) -> Result<Entries> {
    let places = places(archive, rows, data.values.len())?;
    Ok(places.into_iter().zip(&data.values).map(|((i, j), &weight)| (i, j, weight)).collect())
}

/// Blocks of r x c entries each.
fn blocks(archive: &mut Archive, data: &Tensor, n: usize) -> Result<Entries> {
    let (stored, r, c) = match data.shape[..] {
        [stored, r, c] if r * c > 0 && n.is_multiple_of(r) && n.is_multiple_of(c) => (stored, r, c),
        _ => return archive.refuse(format!("blocks of shape {:?} do not fit a {n} x {n} matrix", data.shape)),
    };
    let mut entries = Entries::new();
    for (block, (i, j)) in places(archive, n / r, stored)?.into_iter().enumerate() {
        let Some(column) = j.checked_mul(c).filter(|&column| column < n) else {
            return archive.refuse(format!("block ({i}, {j}) lies outside of the {n} x {n} matrix"));
        };
        let values = &data.values[block * r * c..(block + 1) * r * c];
        entries.extend(values.iter().enumerate().map(|(k, &weight)| (i * r + k / c, column + k % c, weight)));
    }
    Ok(entries)
}

/// Row k of the data is the diagonal with the k-th offset, by the columns of its entries.
fn diagonals(archive: &mut Archive, data: &Tensor, n: usize) -> Result<Entries> {
    let offsets = archive.array("offsets")?.values;
    let width = match data.shape[..] {
        [count, width] if count == offsets.len() => width,
        _ => return archive.refuse("the arrays offsets and data do not fit together"),
    };
    let mut entries = Entries::new();
    for (k, &offset) in offsets.iter().enumerate() {
        let row = |j: usize| j as f64 - offset;
        let inside = (0..width.min(n)).filter(|&j| (0.0..n as f64).contains(&row(j)));
        entries.extend(inside.map(|j| (row(j) as usize, j, data.values[k * width + j])));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::super::npy::tests::{array, doubles};
    use super::*;
    use crate::graph::Graph;
    use nalgebra::{DMatrix, dmatrix};
    use std::io::Write;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            zip.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn whole(values: &[i32]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        array("<i4", "False", &format!("({},)", values.len()), &data)
    }

    fn numbers(shape: &str, values: &[f64]) -> Vec<u8> {
        array("<f8", "False", shape, &doubles(values))
    }

    fn sparse(format: &str, shape: &[i32], parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut arrays = vec![("format", array("|S3", "False", "()", format.as_bytes())), ("shape", whole(shape))];
        arrays.extend(parts.iter().cloned());
        npz(&arrays)
    }

    fn matrix(bytes: &[u8]) -> Result<DMatrix<f64>> {
        parse_npz_graph(Path::new("a.npz"), bytes, true).map(|named| named.graph.to_matrix())
    }

    #[test]
    fn all_sparse_formats_of_scipy_are_read() {
        let expected = dmatrix![0.0, 1.0; 2.0, 3.0];
        let (two, data) = ([2, 2], numbers("(3,)", &[1.0, 2.0, 3.0]));
        let coo = [("row", whole(&[0, 1, 1])), ("col", whole(&[1, 0, 1])), ("data", data.clone())];
        assert_eq!(matrix(&sparse("coo", &two, &coo)).unwrap(), expected);
        let csr = [("indices", whole(&[1, 0, 1])), ("indptr", whole(&[0, 1, 3])), ("data", data)];
        assert_eq!(matrix(&sparse("csr", &two, &csr)).unwrap(), expected);
        let csc = [
            ("indices", whole(&[1, 0, 1])),
            ("indptr", whole(&[0, 1, 3])),
            ("data", numbers("(3,)", &[2.0, 1.0, 3.0])),
        ];
        assert_eq!(matrix(&sparse("csc", &two, &csc)).unwrap(), expected);
        let block = numbers("(1, 2, 2)", &[0.0, 1.0, 2.0, 3.0]);
        let bsr = [("indices", whole(&[0])), ("indptr", whole(&[0, 1])), ("data", block)];
        assert_eq!(matrix(&sparse("bsr", &two, &bsr)).unwrap(), expected);
        let diagonals = numbers("(3, 2)", &[2.0, 0.0, 0.0, 3.0, 0.0, 1.0]);
        let dia = [("offsets", whole(&[-1, 0, 1])), ("data", diagonals)];
        assert_eq!(matrix(&sparse("dia", &two, &dia)).unwrap(), expected);
    }

    #[test]
    fn entries_given_twice_are_added_and_one_dense_array_is_a_matrix() {
        let coo = [("row", whole(&[0, 0])), ("col", whole(&[1, 1])), ("data", numbers("(2,)", &[1.0, 2.0]))];
        assert_eq!(matrix(&sparse("coo", &[2, 2], &coo)).unwrap(), dmatrix![0.0, 3.0; 0.0, 0.0]);
        let dense = npz(&[("arr_0", numbers("(2, 2)", &[0.0, 5.0, 5.0, 0.0]))]);
        let named = parse_npz_graph(Path::new("a.npz"), &dense, false).unwrap();
        assert_eq!((named.graph, named.names.join(" ")), (Graph::undirected(2, [(0, 1, 5.0)]).unwrap(), "0 1".into()));
        let two = npz(&[("x", numbers("(1,)", &[1.0])), ("y", numbers("(2,)", &[1.0, 2.0]))]);
        assert_eq!(parse_npz(Path::new("a.npz"), &two, Some("y")).unwrap().values, [1.0, 2.0]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let (two, data) = ([2, 2], || ("data", numbers("(1,)", &[1.0])));
        let csr = |indices: &[i32], indptr: &[i32]| {
            sparse("csr", &two, &[("indices", whole(indices)), ("indptr", whole(indptr)), data()])
        };
        for (bytes, cause) in [
            (b"PK\x03\x04".to_vec(), "a broken ZIP archive"),
            (npz(&[("x", vec![]), ("y", vec![])]), "holds no sparse matrix of SciPy, and not one array but 'x', 'y'"),
            (npz(&[("x", b"x".to_vec())]), "not a .npy file"),
            (sparse("lil", &two, &[data()]), "sparse matrices of format 'lil' cannot be read"),
            (sparse("csr", &two, &[data()]), "has no array 'indices'; it has 'format', 'shape', 'data'"),
            (sparse("csr", &[2, 3], &[data()]), "an adjacency matrix is square, but this one is 2 x 3"),
            (sparse("csr", &[2_000_000, 2_000_000], &[data()]), "2000000 vertices are more than"),
            (csr(&[0], &[0, 1]), "the arrays indptr, indices and data do not fit together for 2 rows"),
            (csr(&[0], &[0, 1, 5]), "the arrays indptr"),
            (csr(&[0], &[0, 1, 0]), "the arrays indptr"),
            (csr(&[7], &[0, 1, 1]), "entry (0, 7) lies outside of the 2 x 2 matrix"),
            (csr(&[-1], &[0, 1, 1]), "'indices' holds -1, which is no index"),
            (
                sparse("coo", &two, &[("row", whole(&[0, 1])), ("col", whole(&[1])), data()]),
                "the arrays row, col and data",
            ),
            (
                sparse("bsr", &two, &[("data", numbers("(1, 3, 1)", &[1.0; 3])), ("indices", whole(&[0]))]),
                "blocks of shape [1, 3, 1] do not fit",
            ),
            (sparse("dia", &two, &[data(), ("offsets", whole(&[0]))]), "the arrays offsets and data"),
        ] {
            let message = matrix(&bytes).unwrap_err().to_string();
            assert!(message.starts_with(&format!("a.npz: {cause}")), "{message}");
        }
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_refused() {
        let bytes = npz(&[("x", numbers("(1000,)", &[0.0; 1000]))]);
        let mut archive = Archive::open(Path::new("a.npz"), &bytes).unwrap();
        archive.left = 5000;
        let message = archive.array("x").unwrap_err().to_string();
        assert!(message.contains("unpacks to more than 5000 bytes"), "{message}");
    }
}
