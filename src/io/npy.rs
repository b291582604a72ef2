//! NumPy's arrays (`.npy`; NumPy Enhancement Proposal 1). They are read here, because the crates for them overflow on
//! shapes that no file can hold.

use super::graph_format::GraphFormat;
use super::named_graph::NamedGraph;
use super::reading::{GraphFile, Reading};
use super::symmetry::accept;
use super::tensor::{Tensor, finite_tensor};
use crate::error::{Error, Result};
use crate::graph::Graph;
use half::f16;
use std::path::Path;

/// Reads a `.npy` file: whole and floating-point numbers of 8 to 64 bits and truth values (1 and 0), in either order of
/// bytes and of axes.
///
/// # Errors
/// [`Error::File`] when it is broken or holds fewer or more numbers than its shape says, holds other things (complex
/// numbers, text, records, Python objects) or a number that is not finite. O(bytes), whatever shape is stated.
pub fn parse_npy(source: &Path, bytes: &[u8]) -> Result<Tensor> {
    let Some((header, data)) = header(bytes) else { return Err(Error::file(source, "not a .npy file")) };
    let value_of = |key: &str| header.split_once(&format!("'{key}':")).map(|(_, rest)| rest.trim_start());
    if value_of("descr").is_some_and(|descr| descr.starts_with('[')) {
        return Err(Error::file(source, "a .npy file of records; arrays of numbers can be read"));
    }
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
    let Some((size, read)) = number_type(descr) else {
        let what = match descr.get(1..2) {
            Some("O") => "Python objects, which are pickled",
            Some("c") => "complex numbers",
            Some("U" | "S" | "a") => "text",
            Some("f") => "numbers of more than 64 bits: save them as float64",
            _ => "no numbers",
        };
        return Err(Error::file(source, format!("numbers of type {} cannot be read: it is {what}", legible(descr))));
    };
    // The header's word is taken only for as many numbers as are there.
    let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
    if count.and_then(|count| count.checked_mul(size)) != Some(data.len()) {
        let found = data.len();
        let cause = format!("the header says shape {shape:?} of type {descr}, but there are {found} bytes of numbers");
        return Err(Error::file(source, cause));
    }
    let values: Vec<f64> = data.chunks_exact(size).map(read).collect();
    finite_tensor(source, shape.clone(), if by_columns { by_rows(&shape, &values) } else { values })
}

fn legible(descr: &str) -> String {
    super::text::legible(descr, 20)
}

/// The dictionary and what comes behind it.
fn header(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (version, rest) = bytes.strip_prefix(b"\x93NUMPY")?.split_first_chunk::<2>()?;
    let (length, rest) = match version[0] {
        1 => rest.split_first_chunk().map(|(length, rest)| (usize::from(u16::from_le_bytes(*length)), rest))?,
        2 | 3 => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length) as usize, rest))?,
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(header).ok()?, data))
}

/// Reads one number.
pub(super) type Read = fn(&[u8]) -> f64;

/// The size of a type, by NumPy's name of it, and how its numbers are read: `<` and `|` mean little-endian, `>`
/// big-endian. Integers beyond 2⁵³ become the nearest number.
pub(super) fn number_type(descr: &str) -> Option<(usize, Read)> {
    macro_rules! number {
        ($type:ty, $from:ident) => {{
            const SIZE: usize = size_of::<$type>();
            let read: Read =
                |bytes| bytes.first_chunk::<SIZE>().map_or(f64::NAN, |bytes| <$type>::$from(*bytes).to_f64());
            Some((SIZE, read))
        }};
    }
    match descr {
        "|b1" => Some((1, |bytes| f64::from(u8::from(bytes != [0])))),
        "|i1" => number!(i8, from_le_bytes),
        "|u1" => number!(u8, from_le_bytes),
        "<i2" => number!(i16, from_le_bytes),
        ">i2" => number!(i16, from_be_bytes),
        "<u2" => number!(u16, from_le_bytes),
        ">u2" => number!(u16, from_be_bytes),
        "<i4" => number!(i32, from_le_bytes),
        ">i4" => number!(i32, from_be_bytes),
        "<u4" => number!(u32, from_le_bytes),
        ">u4" => number!(u32, from_be_bytes),
        "<i8" => number!(i64, from_le_bytes),
        ">i8" => number!(i64, from_be_bytes),
        "<u8" => number!(u64, from_le_bytes),
        ">u8" => number!(u64, from_be_bytes),
        "<f2" => number!(f16, from_le_bytes),
        ">f2" => number!(f16, from_be_bytes),
        "<f4" => number!(f32, from_le_bytes),
        ">f4" => number!(f32, from_be_bytes),
        "<f8" => number!(f64, from_le_bytes),
        ">f8" => number!(f64, from_be_bytes),
        _ => None,
    }
}

/// A number as the nearest f64.
trait ToF64 {
    fn to_f64(self) -> f64;
}

macro_rules! to_f64 {
    ($($type:ty)*) => {
        $(impl ToF64 for $type {
            #[allow(clippy::cast_lossless, reason = "the same words for 64 bits as for fewer")]
            fn to_f64(self) -> f64 {
                self as f64
            }
        })*
    };
}

to_f64!(i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);

impl ToF64 for f16 {
    fn to_f64(self) -> f64 {
        self.to_f64()
    }
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

/// Reads a graph from the `.npy` file of its dense adjacency matrix; vertices are called "0", …, "n−1".
///
/// # Errors
/// As [`parse_npy`]; [`Error::File`] when it is no square matrix, or when `directed` is false but it is not symmetric
/// (but for rounding).
pub fn parse_npy_graph(source: &Path, bytes: &[u8], directed: bool) -> Result<NamedGraph> {
    read(source, bytes, &Reading::new(directed)).map(|file| file.named)
}

pub(super) fn read(source: &Path, bytes: &[u8], reading: &Reading) -> Result<GraphFile> {
    dense(source, GraphFormat::Npy, &parse_npy(source, bytes)?, reading)
}

/// The graph of a dense adjacency matrix.
pub(super) fn dense(source: &Path, format: GraphFormat, array: &Tensor, reading: &Reading) -> Result<GraphFile> {
    let [rows, columns] = array.shape[..] else {
        let cause = format!("an adjacency matrix has two axes, but this array has shape {:?}", array.shape);
        return Err(Error::file(source, cause));
    };
    if rows != columns {
        let cause = format!("an adjacency matrix is square, but this one is {rows} x {columns}");
        return Err(Error::file(source, cause));
    }
    let entries = array.values.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
    let graph = Graph::directed(rows, entries.map(|(k, &weight)| (k / columns, k % columns, weight)))?;
    let (named, note) = accept(source, NamedGraph::numbered(graph), reading)?;
    Ok(GraphFile { notes: note.into_iter().collect(), ..GraphFile::new(format, named) })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use nalgebra::DMatrix;

    pub fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut header = header.to_string();
        header += &" ".repeat((64 - (header.len() + 11) % 64) % 64);
        header.push('\n');
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    pub fn array(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        npy(&format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"), data)
    }

    pub fn doubles(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn all_types_and_orders_of_npy_give_the_same_matrix() {
        let source = Path::new("a.npy");
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let expected = Tensor { shape: vec![2, 3], values: values.to_vec() };
        macro_rules! bytes {
            ($type:ty, $to:ident) => {
                values.iter().flat_map(|&value| (value as $type).$to()).collect::<Vec<u8>>()
            };
        }
        let halves = |to: fn(f16) -> [u8; 2]| values.iter().flat_map(|&v| to(f16::from_f64(v))).collect::<Vec<u8>>();
        for (descr, data) in [
            ("|i1", bytes!(i8, to_le_bytes)),
            ("|u1", bytes!(u8, to_le_bytes)),
            ("<i2", bytes!(i16, to_le_bytes)),
            (">i2", bytes!(i16, to_be_bytes)),
            ("<u2", bytes!(u16, to_le_bytes)),
            (">u2", bytes!(u16, to_be_bytes)),
            ("<i4", bytes!(i32, to_le_bytes)),
            (">i4", bytes!(i32, to_be_bytes)),
            ("<u4", bytes!(u32, to_le_bytes)),
            (">u4", bytes!(u32, to_be_bytes)),
            ("<i8", bytes!(i64, to_le_bytes)),
            (">i8", bytes!(i64, to_be_bytes)),
            ("<u8", bytes!(u64, to_le_bytes)),
            (">u8", bytes!(u64, to_be_bytes)),
            ("<f2", halves(f16::to_le_bytes)),
            (">f2", halves(f16::to_be_bytes)),
            ("<f4", bytes!(f32, to_le_bytes)),
            (">f4", bytes!(f32, to_be_bytes)),
            ("<f8", bytes!(f64, to_le_bytes)),
            (">f8", bytes!(f64, to_be_bytes)),
        ] {
            assert_eq!(parse_npy(source, &array(descr, "False", "(2, 3)", &data)).unwrap(), expected, "{descr}");
        }
        let by_columns = array("<f8", "True", "(2, 3)", &doubles(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
        assert_eq!(parse_npy(source, &by_columns).unwrap(), expected);
        let truths = parse_npy(source, &array("|b1", "False", "(3,)", &[0, 1, 1])).unwrap();
        assert_eq!(truths.values, [0.0, 1.0, 1.0]);
        assert_eq!(expected.matrix(source).unwrap(), DMatrix::from_row_slice(2, 3, &expected.values));
    }

    #[test]
    fn broken_arrays_are_refused_with_file_and_shape() {
        for (bytes, cause) in [
            (b"PK\x03\x04".to_vec(), "not a .npy file"),
            (
                array("<f8", "False", "(2, 3)", &doubles(&[1.0])),
                "the header says shape [2, 3] of type <f8, but there are 8 bytes",
            ),
            (array("<f8", "False", "(99999999999, 99999999999)", &[]), "the header says shape [99999999999"),
            (array("<c16", "False", "(1,)", &doubles(&[1.0, 2.0])), "<c16 cannot be read: it is complex numbers"),
            (array("|O", "False", "(1,)", b"."), "|O cannot be read: it is Python objects"),
            (array("<U3", "False", "(1,)", b"abcabcabcabc"), "<U3 cannot be read: it is text"),
            (array("<f16", "False", "(1,)", &[0; 16]), "<f16 cannot be read: it is numbers of more than 64 bits"),
            (npy("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", &doubles(&[1.0])), "of records"),
            (npy("{'descr': '<f8', 'shape': (1,), }", &doubles(&[1.0])), "whose header cannot be read"),
            (array("<f8", "False", "(2,)", &doubles(&[1.0, f64::NAN])), "entry 1 of shape [2] is NaN"),
        ] {
            let message = parse_npy(Path::new("a.npy"), &bytes).unwrap_err().to_string();
            assert!(message.starts_with("a.npy: ") && message.contains(cause), "{message}");
        }
        let tensor = Tensor { shape: vec![1, 2, 3], values: vec![0.0; 6] };
        assert!(tensor.matrix(Path::new("a.npy")).unwrap_err().to_string().contains("[1, 2, 3]"));
    }

    #[test]
    fn a_square_array_is_a_graph() {
        let graph = |shape: &str, values: &[f64], directed: bool| {
            parse_npy_graph(Path::new("a.npy"), &array("<f8", "False", shape, &doubles(values)), directed)
        };
        let named = graph("(2, 2)", &[0.0, 2.5, 2.5, 1.0], false).unwrap();
        assert_eq!(named.names, ["0", "1"]);
        assert_eq!(named.graph.arcs().collect::<Vec<_>>(), [(0, 1, 2.5), (1, 0, 2.5), (1, 1, 1.0)]);
        assert_eq!(graph("(2, 2)", &[0.0, 1.0, 0.0, 0.0], true).unwrap().graph.arc_count(), 1);
        for (shape, values, cause) in [
            ("(4,)", &[0.0; 4][..], "an adjacency matrix has two axes, but this array has shape [4]"),
            ("(1, 2)", &[0.0; 2], "an adjacency matrix is square, but this one is 1 x 2"),
            ("(0, 0)", &[], "the graph has no vertex"),
            ("(2, 2)", &[0.0, 1.0, 0.0, 0.0], "not an undirected graph"),
        ] {
            let message = graph(shape, values, false).unwrap_err().to_string();
            assert!(message.starts_with(&format!("a.npy: {cause}")), "{message}");
        }
    }
}
