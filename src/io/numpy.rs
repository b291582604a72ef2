//! NumPy's files, told by their first bytes.

use super::npy::parse_npy;
use super::npz::parse_npz;
use crate::error::Result;
use nalgebra::DMatrix;
use std::path::Path;

/// Whether the bytes are those of a .npy file.
pub(super) fn is_npy(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x93NUMPY")
}

/// Whether the bytes are those of a .npz file, a ZIP archive.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Whether the bytes are those of a .npy or .npz file.
pub(super) fn is_array(bytes: &[u8]) -> bool {
    is_npy(bytes) || is_zip(bytes)
}

/// The matrix in a .npy file, or the only one in a .npz file.
pub(super) fn array_of(source: &Path, bytes: &[u8]) -> Result<DMatrix<f64>> {
    let tensor = if is_zip(bytes) { parse_npz(source, bytes, None) } else { parse_npy(source, bytes) };
    tensor?.matrix(source)
}
