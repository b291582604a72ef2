//! Weights of networks: arrays from .npy, .csv and .safetensors files.

use super::matrix::parse_matrix;
use super::text::{read_source, shown};
use super::write_atomically;
use crate::error::{Error, Result};
use crate::permutation::Permutation;
use half::{bf16, f16};
use nalgebra::DMatrix;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// An array of finite numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Its entries, the last axis fastest.
    pub values: Vec<f64>,
}

impl Tensor {
    /// The array as a matrix: two axes as they are, one as a single row, none as 1 × 1.
    ///
    /// # Errors
    /// [`Error::File`] for `source` with the shape when there are more axes, or no entries.
    pub fn matrix(&self, source: &Path) -> Result<DMatrix<f64>> {
        let (rows, columns) = match self.shape[..] {
            [] => (1, 1),
            [length] => (1, length),
            [rows, columns] => (rows, columns),
            _ => {
                return Err(Error::file(source, format!("a matrix has two axes, but this has shape {:?}", self.shape)));
            }
        };
        if rows * columns == 0 {
            return Err(Error::file(source, format!("shape {:?} has no entries", self.shape)));
        }
        Ok(DMatrix::from_row_slice(rows, columns, &self.values))
    }
}

/// Whether the extension says .safetensors.
pub fn is_safetensors(path: &Path) -> bool {
    has_extension(path, "safetensors")
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Reads an array: by extension .npy, .safetensors (there the tensor called `name`, or the only one), else CSV as
/// [`read_matrix`](super::read_matrix). Floating-point numbers of 16 to 64 bits, and whole numbers of 8 (unsigned), 32 and 64 bits in .npy.
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] when the file is broken, has no such tensor (it lists those it has), is of another type of
/// number, or has an entry that is not finite.
pub fn read_tensor(path: &Path, name: Option<&str>) -> Result<Tensor> {
    if is_safetensors(path) {
        let bytes = read_source(path)?.1;
        return tensor_of(path, &parse_safetensors(path, &bytes)?, name);
    }
    if let Some(name) = name {
        return Err(Error::file(
            path,
            format!("has no tensors with names such as {}: it is no .safetensors", shown(name)),
        ));
    }
    let (source, bytes) = read_source(path)?;
    if has_extension(path, "npy") {
        return parse_npy(&source, &bytes);
    }
    let matrix = parse_matrix(&source, &bytes)?;
    let values = matrix.transpose().as_slice().to_vec();
    Ok(Tensor { shape: vec![matrix.nrows(), matrix.ncols()], values })
}

/// Reads a matrix from a .npy, .safetensors or CSV file, by extension; see [`read_tensor`].
///
/// # Errors
/// As [`read_tensor`] and [`Tensor::matrix`].
pub fn read_array(path: &Path, name: Option<&str>) -> Result<DMatrix<f64>> {
    read_tensor(path, name)?.matrix(path)
}

/// The names and shapes in a .safetensors file, sorted by name.
///
/// # Errors
/// [`Error::Io`], [`Error::File`] when the file is broken.
pub fn read_shapes(path: &Path) -> Result<Vec<(String, Vec<usize>)>> {
    let bytes = read_source(path)?.1;
    Ok(shapes(&parse_safetensors(path, &bytes)?))
}

fn shapes(file: &SafeTensors) -> Vec<(String, Vec<usize>)> {
    let mut shapes: Vec<_> = file.iter().map(|(name, view)| (name.to_string(), view.shape().to_vec())).collect();
    shapes.sort();
    shapes
}

fn parse_safetensors<'b>(path: &Path, bytes: &'b [u8]) -> Result<SafeTensors<'b>> {
    SafeTensors::deserialize(bytes).map_err(|error| Error::file(path, format!("not a .safetensors file: {error}")))
}

/// A list of tensors for messages.
pub(crate) fn listed(shapes: &[(String, Vec<usize>)]) -> String {
    let listed: Vec<String> = shapes.iter().map(|(name, shape)| format!("{} {shape:?}", shown(name))).collect();
    if listed.is_empty() { "none".to_string() } else { listed.join(", ") }
}

fn tensor_of(path: &Path, file: &SafeTensors, name: Option<&str>) -> Result<Tensor> {
    let name = match (name, &file.names()[..]) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, _) => {
            let cause = format!("say which tensor by FILE:NAME; it has {}", listed(&shapes(file)));
            return Err(Error::file(path, cause));
        }
    };
    let view = file
        .tensor(name)
        .map_err(|_| Error::file(path, format!("has no tensor {}; it has {}", shown(name), listed(&shapes(file)))))?;
    let data = view.data();
    let values: Vec<f64> = match view.dtype() {
        Dtype::F64 => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
        Dtype::F32 => data.as_chunks().0.iter().map(|&bytes| f64::from(f32::from_le_bytes(bytes))).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f64()).collect(),
        Dtype::BF16 => data.as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).to_f64()).collect(),
        other => {
            let cause = format!("tensor {} is of type {other:?}; F64, F32, F16 and BF16 can be read", shown(name));
            return Err(Error::file(path, cause));
        }
    };
    accept(path, view.shape().to_vec(), values)
}

/// [`read_tensor`] of a .npy file from memory; `source` names the bytes in messages.
///
/// The format is a dictionary of three keys before the numbers (NumPy Enhancement Proposal 1). It is read here, because the
/// crates for it overflow on shapes that no file can hold.
///
/// # Errors
/// As [`read_tensor`].
pub fn parse_npy(source: &Path, bytes: &[u8]) -> Result<Tensor> {
    let Some((header, data)) = npy_header(bytes) else { return Err(Error::file(source, "not a .npy file")) };
    let value_of = |key: &str| header.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    let parts = (|| {
        let descr = value_of("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
        let by_columns = value_of("fortran_order")?.starts_with("True");
        let lengths = value_of("shape")?.strip_prefix('(')?.split_once(')')?.0.split(',').map(str::trim);
        let shape: Option<Vec<usize>> =
            lengths.filter(|length| !length.is_empty()).map(|length| length.parse().ok()).collect();
        Some((descr, by_columns, shape?))
    })();
    let Some((descr, by_columns, shape)) = parts else {
        return Err(Error::file(source, "a .npy file whose header cannot be read: plain arrays of numbers can"));
    };
    // The header's word is taken only for as many numbers as are there.
    let size = descr.get(2..).and_then(|size| size.parse::<usize>().ok());
    let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
    let needed = size.and_then(|size| count?.checked_mul(size));
    if size.is_some() && needed != Some(data.len()) {
        let found = data.len();
        let cause = format!("the header says shape {shape:?} of type {descr}, but there are {found} bytes of numbers");
        return Err(Error::file(source, cause));
    }
    let Some(values) = npy_numbers(descr, data) else {
        let cause = format!("numbers of type {descr} cannot be read; f2, f4, f8, i4, i8 and u1 can");
        return Err(Error::file(source, cause));
    };
    accept(source, shape.clone(), if by_columns { by_rows(&shape, &values) } else { values })
}

/// The dictionary and what comes behind it.
fn npy_header(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (version, rest) = bytes.strip_prefix(b"\x93NUMPY")?.split_first_chunk::<2>()?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest))?,
        2 | 3 => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest))?,
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// The numbers of a type, by NumPy's name of it: `<` and `|` mean little-endian, `>` big-endian.
fn npy_numbers(descr: &str, data: &[u8]) -> Option<Vec<f64>> {
    Some(match descr {
        "<f8" => data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect(),
        ">f8" => data.as_chunks().0.iter().map(|&bytes| f64::from_be_bytes(bytes)).collect(),
        "<f4" => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes).into()).collect(),
        ">f4" => data.as_chunks().0.iter().map(|&bytes| f32::from_be_bytes(bytes).into()).collect(),
        "<f2" => data.as_chunks().0.iter().map(|&bytes| f16::from_le_bytes(bytes).into()).collect(),
        "<i8" => data.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f64).collect(),
        "<i4" => data.as_chunks().0.iter().map(|&bytes| i32::from_le_bytes(bytes).into()).collect(),
        "|u1" => data.iter().map(|&byte| byte.into()).collect(),
        _ => return None,
    })
}

/// The entries with the last axis fastest, given with the first axis fastest.
fn by_rows(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut index = vec![0; shape.len()];
    let mut reordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let place = index.iter().zip(shape).rev().fold(0, |place, (&at, &length)| place * length + at);
        reordered.push(values[place]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    reordered
}

fn accept(source: &Path, shape: Vec<usize>, values: Vec<f64>) -> Result<Tensor> {
    if let Some(k) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::file(source, format!("entry {k} of shape {shape:?} is {}, but must be finite", values[k])));
    }
    Ok(Tensor { shape, values })
}

/// Writes arrays as a .safetensors file of 64-bit numbers, atomically.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_safetensors(path: &Path, tensors: &[(&str, Tensor)]) -> Result<()> {
    let bytes: Vec<(&str, &Tensor, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| (*name, tensor, tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        .collect();
    let views = bytes.iter().map(|(name, tensor, data)| {
        let view = TensorView::new(Dtype::F64, tensor.shape.clone(), data);
        view.map(|view| (name.to_string(), view)).map_err(|error| Error::file(path, error.to_string()))
    });
    write_views(path, views.collect::<Result<Vec<_>>>()?, None)
}

/// Copies a .safetensors file with the given axes reordered: index i of the axis becomes index p(i) of the original. Types,
/// metadata and all other tensors stay, byte for byte.
///
/// # Errors
/// As [`read_tensor`] and [`write_atomically`]; [`Error::File`] when an axis is not of p's length.
pub fn reorder_safetensors(from: &Path, to: &Path, axes: &[(&str, usize)], p: &Permutation) -> Result<()> {
    let bytes = read_source(from)?.1;
    let file = parse_safetensors(from, &bytes)?;
    let metadata = SafeTensors::read_metadata(&bytes).ok().and_then(|(_, metadata)| metadata.metadata().clone());
    let mut reordered: Vec<(String, Vec<u8>)> = Vec::new();
    for &(name, axis) in axes {
        let view = file.tensor(name).map_err(|error| Error::file(from, error.to_string()))?;
        if view.shape().get(axis) != Some(&p.len()) {
            let cause = format!(
                "axis {axis} of {} has to have length {}, but its shape is {:?}",
                shown(name),
                p.len(),
                view.shape()
            );
            return Err(Error::file(from, cause));
        }
        let outer: usize = view.shape()[..axis].iter().product();
        let block = view.data().len() / (outer * p.len()).max(1);
        let place = |k: usize, i: usize| (k * p.len() + p.apply(i)) * block;
        let blocks = (0..outer).flat_map(|k| (0..p.len()).map(move |i| place(k, i)));
        reordered.push((name.to_string(), blocks.flat_map(|at| &view.data()[at..at + block]).copied().collect()));
    }
    let views = file.iter().map(|(name, view)| {
        let data = reordered.iter().find(|(reordered, _)| reordered == name).map_or(view.data(), |(_, data)| data);
        let view = TensorView::new(view.dtype(), view.shape().to_vec(), data);
        view.map(|view| (name.to_string(), view)).map_err(|error| Error::file(from, error.to_string()))
    });
    write_views(to, views.collect::<Result<Vec<_>>>()?, metadata)
}

fn write_views(path: &Path, views: Vec<(String, TensorView)>, metadata: Option<HashMap<String, String>>) -> Result<()> {
    let bytes = safetensors::serialize(views, metadata).map_err(|error| Error::file(path, error.to_string()))?;
    write_atomically(path, |file| file.write_all(&bytes))
}

/// A file and, after a colon behind `.safetensors`, the name of a tensor in it: `model.safetensors:fc1.weight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorPath {
    /// The file.
    pub path: PathBuf,
    /// The tensor.
    pub name: Option<String>,
}

impl From<&str> for TensorPath {
    fn from(text: &str) -> Self {
        match text.split_once(".safetensors:") {
            Some((stem, name)) => {
                TensorPath { path: format!("{stem}.safetensors").into(), name: Some(name.to_string()) }
            }
            None => TensorPath { path: text.into(), name: None },
        }
    }
}

impl TensorPath {
    /// The array.
    ///
    /// # Errors
    /// As [`read_tensor`].
    pub fn read(&self) -> Result<Tensor> {
        read_tensor(&self.path, self.name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut header = header.to_string();
        header += &" ".repeat((64 - (header.len() + 11) % 64) % 64);
        header.push('\n');
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    fn doubles(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn both_orders_and_types_of_npy_give_the_same_matrix() {
        let source = Path::new("a.npy");
        let expected = Tensor { shape: vec![2, 3], values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let c = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", &doubles(&expected.values));
        let f = npy(
            "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }",
            &doubles(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
        );
        let singles: Vec<u8> = expected.values.iter().flat_map(|&value| (value as f32).to_be_bytes()).collect();
        let big = npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", &singles);
        let whole: Vec<u8> = expected.values.iter().flat_map(|&value| (value as i64).to_le_bytes()).collect();
        let whole = npy("{'descr': '<i8', 'fortran_order': False, 'shape': (2, 3), }", &whole);
        for bytes in [c, f, big, whole] {
            assert_eq!(parse_npy(source, &bytes).unwrap(), expected);
        }
        assert_eq!(expected.matrix(source).unwrap(), DMatrix::from_row_slice(2, 3, &expected.values));
    }

    #[test]
    fn broken_arrays_are_refused_with_file_and_shape() {
        for (bytes, cause) in [
            (b"PK\x03\x04".to_vec(), "not a .npy file"),
            (
                npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", &doubles(&[1.0])),
                "shape [2, 3] of type <f8, but there are 8 bytes",
            ),
            (
                npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", &[]),
                "shape [99999999999",
            ),
            (
                npy("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", &doubles(&[1.0, 2.0])),
                "cannot be read",
            ),
            (
                npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", &doubles(&[1.0, f64::NAN])),
                "entry 1 of shape [2] is NaN",
            ),
        ] {
            let message = parse_npy(Path::new("a.npy"), &bytes).unwrap_err().to_string();
            assert!(message.starts_with("a.npy: ") && message.contains(cause), "{message}");
        }
        let tensor = Tensor { shape: vec![1, 2, 3], values: vec![0.0; 6] };
        assert!(tensor.matrix(Path::new("a.npy")).unwrap_err().to_string().contains("[1, 2, 3]"));
    }

    #[test]
    fn reordering_moves_one_axis_and_keeps_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.safetensors"), folder.path().join("b.safetensors"));
        let tensor = |shape: &[usize]| Tensor {
            shape: shape.to_vec(),
            values: (0..shape.iter().product()).map(|k: usize| k as f64).collect(),
        };
        write_safetensors(&from, &[("w", tensor(&[3, 2])), ("v", tensor(&[2, 3])), ("rest", tensor(&[3]))]).unwrap();
        let p = Permutation::new(vec![2, 0, 1]).unwrap();
        reorder_safetensors(&from, &to, &[("w", 0), ("v", 1)], &p).unwrap();
        assert_eq!(read_tensor(&to, Some("w")).unwrap().values, [4.0, 5.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(read_tensor(&to, Some("v")).unwrap().values, [2.0, 0.0, 1.0, 5.0, 3.0, 4.0]);
        assert_eq!(read_tensor(&to, Some("rest")).unwrap(), tensor(&[3]));
        assert!(reorder_safetensors(&from, &to, &[("w", 1)], &p).unwrap_err().to_string().contains("[3, 2]"));
        let message = read_tensor(&from, Some("u")).unwrap_err().to_string();
        assert!(message.contains("no tensor 'u'; it has 'rest' [3], 'v' [2, 3], 'w' [3, 2]"), "{message}");
        assert!(read_tensor(&from, None).unwrap_err().to_string().contains("FILE:NAME"));
        assert_eq!(TensorPath::from("x/a.safetensors:w").name.as_deref(), Some("w"));
        std::fs::write(&from, "text").unwrap();
        assert!(read_shapes(&from).unwrap_err().to_string().contains("a.safetensors: not a .safetensors file"));
    }
}
