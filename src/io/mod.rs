//! Graphs, quadratic assignment problems, correspondences, matrices and networks' weights: read from files and written
//! to them.
//!
//! Every reader exists twice: `read_*` takes a path (`-` is standard input) and `parse_*` takes the bytes, with a name
//! for the messages. Whatever the bytes are, the answer is a value or an [`Error`](crate::Error) that names file, line
//! and cause, and the memory used is at most a small multiple of the input and of what it describes: sizes stated in a
//! header are believed only once the data is there. What gzip has compressed is unpacked by `read_*`, up to
//! [`MAX_UNPACKED`] bytes. Every writer goes through [`write_atomically`], so that a file is there complete or not at
//! all.
//!
//! [`Reading`] says how a graph's file is to be understood. What it is, its content says, and its extension where that
//! leaves a choice; a format that is not read is refused by name, and never taken for an edge list.
//!
//! Text is UTF-8, or UTF-16 with a byte order mark; `\r\n` ends a line as `\n` does. The formats of lines and fields
//! (edge lists, correspondences, CSV, triples) agree: fields are separated by spaces, tabs, commas or semicolons, or by
//! one of the last three alone where all first lines have it; a name in double quotes may hold any of these, and `""`
//! inside it is a double quote; a field that begins with `#` or `%` begins a comment.

mod adjacency;
mod atomic;
mod checkpoint;
mod columns;
mod correspondence;
mod delimited;
mod dictionary;
mod edge_list;
mod edge_table;
mod edges;
mod fields;
mod foreign;
mod gml;
mod graph_format;
mod graphml;
mod identity;
mod leda;
mod listing;
mod matrix;
mod matrix_market;
mod named_graph;
mod npy;
mod npz;
mod numpy;
mod place;
mod qaplib;
mod readers;
mod reading;
mod recognition;
mod sif;
mod similarity;
mod source;
mod symmetry;
mod tensor;
mod text;
mod vertex_names;
mod vertices;
mod weights;
mod writing;
mod xml;

pub use atomic::{check_writable, write_atomically};
pub use atomic::{keep_permissions, sync_folder};
pub use checkpoint::{CheckpointFile, parse_checkpoint};
pub use correspondence::{parse_pairs, read_pairs, read_truth, truth_from_pairs, write_match};
pub use edge_list::parse_edge_list;
pub use edge_table::write_edge_table;
pub use gml::parse_gml;
pub use graph_format::GraphFormat;
pub use graphml::parse_graphml;
pub use leda::parse_leda;
pub use matrix::{parse_csv_graph, parse_matrix, read_matrix, write_matrix};
pub use matrix_market::parse_matrix_market;
pub use named_graph::NamedGraph;
pub use npy::{parse_npy, parse_npy_graph};
pub use npz::parse_npz_graph;
pub use place::{Place, folder_of, follow, no_folder};
pub use qaplib::{
    QaplibInstance, QaplibSolution, parse_qaplib, parse_qaplib_solution, read_qaplib, read_qaplib_solution,
};
pub use readers::{parse_graph, read_graph};
pub use reading::{GraphFile, Reading, Repeated};
pub use sif::parse_sif;
pub use similarity::{Similarity, SimilarityFile, parse_similarity_matrix, parse_similarity_triples, read_similarity};
pub use source::MAX_UNPACKED;
pub use tensor::Tensor;
pub use weights::listed;
pub use weights::{
    TensorPath, is_safetensors, read_array, read_shapes, read_tensor, reorder_safetensors, write_safetensors,
};
pub use writing::write_graph;

/// The most vertices a graph file may state without listing them: 10⁶.
///
/// A Matrix Market header `n n 0` of thirty bytes would otherwise make a reader allocate O(n) memory. The
/// limit costs nothing real, as this library's methods work with dense n × n matrices, 8 TB at this size.
pub const MAX_VERTICES: usize = 1_000_000;
