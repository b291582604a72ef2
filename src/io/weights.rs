//! Weights of networks: arrays from .npy, .csv and .safetensors files.

use super::matrix::parse_matrix;
use super::npy::{number_type, parse_npy};
use super::npz::parse_npz;
use super::numpy::{is_npy, is_zip};
use super::source::read_source;
use super::tensor::{Tensor, blocks, finite_tensor, places};
use super::text::shown;
use super::write_atomically;
use crate::error::{Error, Result};
use crate::permutation::Permutation;
use half::bf16;
use nalgebra::DMatrix;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Whether the extension says .safetensors.
pub fn is_safetensors(path: &Path) -> bool {
    has_extension(path, "safetensors")
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Reads an array from a .npy or .npz file (by content), a .safetensors file (by extension; of either the tensor called
/// `name`, or the only one), or else CSV as [`read_matrix`](super::read_matrix). Floating-point numbers of 16 to 64
/// bits, whole numbers of 8 to 64 bits and truth values (1 and 0).
///
/// # Errors
/// [`Error::Io`]; [`Error::File`] when the file is broken, has no such tensor (it lists those it has), is of another
/// type of number, or has an entry that is not finite.
pub fn read_tensor(path: &Path, name: Option<&str>) -> Result<Tensor> {
    let (source, bytes) = read_source(path)?;
    if is_zip(&bytes) {
        return parse_npz(&source, &bytes, name);
    }
    if is_safetensors(path) {
        return tensor_of(path, &parse_safetensors(path, &bytes)?, name);
    }
    if let Some(name) = name {
        let cause = format!("has no tensors with names such as {}: it is no .safetensors and no .npz", shown(name));
        return Err(Error::file(path, cause));
    }
    if is_npy(&bytes) || has_extension(path, "npy") {
        return parse_npy(&source, &bytes);
    }
    let matrix = parse_matrix(&source, &bytes)?;
    let values = matrix.transpose().as_slice().to_vec();
    Ok(Tensor { shape: vec![matrix.nrows(), matrix.ncols()], values })
}

/// Reads a matrix from a .npy, .npz, .safetensors or CSV file; see [`read_tensor`].
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
pub fn listed(shapes: &[(String, Vec<usize>)]) -> String {
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
    let as_in_numpy = match view.dtype() {
        Dtype::BOOL => "|b1",
        Dtype::I8 => "|i1",
        Dtype::U8 => "|u1",
        Dtype::I16 => "<i2",
        Dtype::U16 => "<u2",
        Dtype::I32 => "<i4",
        Dtype::U32 => "<u4",
        Dtype::I64 => "<i8",
        Dtype::U64 => "<u8",
        Dtype::F16 => "<f2",
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
        _ => "",
    };
    let values = match (view.dtype(), number_type(as_in_numpy)) {
        (Dtype::BF16, _) => {
            view.data().as_chunks().0.iter().map(|&bytes| bf16::from_le_bytes(bytes).to_f64()).collect()
        }
        (_, Some((size, number))) => view.data().chunks_exact(size).map(number).collect(),
        (other, None) => {
            let cause = format!("tensor {} is of type {other:?}, which is no type of real numbers", shown(name));
            return Err(Error::file(path, cause));
        }
    };
    finite_tensor(path, view.shape().to_vec(), values)
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

/// Copies a .safetensors file with the given axes reordered as [`Tensor::reordered`] has it; a tensor may be given more
/// than once, with different axes. Types, metadata and all other tensors stay, byte for byte.
///
/// # Errors
/// As [`read_tensor`] and [`write_atomically`]; [`Error::File`] when an axis is not of p's length or a multiple of it.
pub fn reorder_safetensors(from: &Path, to: &Path, axes: &[(&str, usize, &Permutation)]) -> Result<()> {
    let bytes = read_source(from)?.1;
    let file = parse_safetensors(from, &bytes)?;
    let metadata = SafeTensors::read_metadata(&bytes).ok().and_then(|(_, metadata)| metadata.metadata().clone());
    let mut reordered: HashMap<&str, Vec<u8>> = HashMap::new();
    for &(name, axis, p) in axes {
        let view = file.tensor(name).map_err(|error| Error::file(from, error.to_string()))?;
        let (outer, block) = blocks(from, &shown(name), view.shape(), axis, p.len())?;
        let block = block * view.data().len() / view.shape().iter().product::<usize>().max(1);
        let data = reordered.get(name).map_or(view.data(), |data| data);
        let data = places(outer, block, p).flat_map(|at| &data[at..at + block]).copied().collect();
        reordered.insert(name, data);
    }
    let views = file.iter().map(|(name, view)| {
        let data = reordered.get(name).map_or(view.data(), |data| data);
        let view = TensorView::new(view.dtype(), view.shape().to_vec(), data);
        view.map(|view| (name.to_string(), view)).map_err(|error| Error::file(from, error.to_string()))
    });
    write_views(to, views.collect::<Result<Vec<_>>>()?, metadata)
}

fn write_views(path: &Path, views: Vec<(String, TensorView)>, metadata: Option<HashMap<String, String>>) -> Result<()> {
    let bytes = safetensors::serialize(views, metadata).map_err(|error| Error::file(path, error.to_string()))?;
    write_atomically(path, |file| file.write_all(&bytes))
}

/// A file and, after a colon behind `.safetensors` or `.npz`, the name of a tensor in it:
/// `model.safetensors:fc1.weight`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorPath {
    /// The file.
    pub path: PathBuf,
    /// The tensor.
    pub name: Option<String>,
}

impl From<&str> for TensorPath {
    fn from(text: &str) -> Self {
        for extension in [".safetensors", ".npz"] {
            if let Some((stem, name)) = text.split_once(&format!("{extension}:")) {
                return TensorPath { path: format!("{stem}{extension}").into(), name: Some(name.to_string()) };
            }
        }
        TensorPath { path: text.into(), name: None }
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
        reorder_safetensors(&from, &to, &[("w", 0, &p), ("v", 1, &p)]).unwrap();
        assert_eq!(read_tensor(&to, Some("w")).unwrap().values, [4.0, 5.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(read_tensor(&to, Some("v")).unwrap().values, [2.0, 0.0, 1.0, 5.0, 3.0, 4.0]);
        assert_eq!(read_tensor(&to, Some("rest")).unwrap(), tensor(&[3]));
        let message = reorder_safetensors(&from, &to, &[("w", 1, &p)]).unwrap_err().to_string();
        assert!(
            message.contains("axis 1 of 'w' has to have length 3, or a multiple of it, but its shape is [3, 2]"),
            "{message}"
        );
        reorder_safetensors(&from, &to, &[("w", 0, &p), ("w", 0, &p)]).unwrap();
        assert_eq!(read_tensor(&to, Some("w")).unwrap().values, [2.0, 3.0, 4.0, 5.0, 0.0, 1.0], "twice");
        let message = read_tensor(&from, Some("u")).unwrap_err().to_string();
        assert!(message.contains("no tensor 'u'; it has 'rest' [3], 'v' [2, 3], 'w' [3, 2]"), "{message}");
        assert!(read_tensor(&from, None).unwrap_err().to_string().contains("FILE:NAME"));
        assert_eq!(TensorPath::from("x/a.safetensors:w").name.as_deref(), Some("w"));
        assert_eq!(TensorPath::from("x/a.npz:w").path, Path::new("x/a.npz"));
        std::fs::write(&from, "text").unwrap();
        assert!(read_shapes(&from).unwrap_err().to_string().contains("a.safetensors: not a .safetensors file"));
    }
}
