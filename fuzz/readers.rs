//! Every reader on arbitrary bytes: the answer is a value that makes sense, or an error that names the file in a line.

use birkhoff::assignment::NONE;
use birkhoff::checkpoint::{Keeper, Part, Task};
use birkhoff::io::{
    GraphFormat, NamedGraph, Reading, Repeated, parse_checkpoint, parse_matrix, parse_npy, parse_pairs, parse_qaplib,
    parse_qaplib_solution, parse_similarity_matrix, parse_similarity_triples, read_shapes, read_tensor,
    reorder_safetensors, truth_from_pairs,
};
use birkhoff::solver::Limits;
use birkhoff::sparse::{Layers, Options, search};
use birkhoff::{Error, Graph, Permutation};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// What messages call the bytes.
const FILE: &str = "hostile.file";

/// A reader, and what is asked of its answer.
type Reader = fn(&[u8]);

/// A reader by the name of its target.
pub const READERS: [(&str, Reader); 20] = [
    ("csv_graph", |bytes| graph(bytes, GraphFormat::Csv)),
    ("edge_list", |bytes| graph(bytes, GraphFormat::EdgeList)),
    ("gml", |bytes| graph(bytes, GraphFormat::Gml)),
    ("graphml", |bytes| graph(bytes, GraphFormat::GraphMl)),
    ("gzip", gzip),
    ("leda", |bytes| graph(bytes, GraphFormat::Leda)),
    ("matrix", matrix),
    ("matrix_market", |bytes| graph(bytes, GraphFormat::MatrixMarket)),
    ("npy", npy),
    ("npy_graph", |bytes| graph(bytes, GraphFormat::Npy)),
    ("npz", |bytes| graph(bytes, GraphFormat::Npz)),
    ("pairs", pairs),
    ("qaplib", qaplib),
    ("qaplib_solution", qaplib_solution),
    ("recognized", recognized),
    ("safetensors", safetensors),
    ("search_checkpoint", search_checkpoint),
    ("sif", |bytes| graph(bytes, GraphFormat::Sif)),
    ("similarity_matrix", similarity_matrix),
    ("similarity_triples", similarity_triples),
];

/// Runs one of them.
pub fn read(target: &str, bytes: &[u8]) {
    let reader = READERS.iter().find(|(name, _)| *name == target);
    reader.unwrap_or_else(|| panic!("there is no reader {target}")).1(bytes);
}

fn check_message(error: &Error) {
    let message = error.to_string();
    assert!(message.contains(FILE), "{message:?} does not name the file");
    assert!(message.len() < 1000 && !message.contains(char::is_control), "{message:?}");
}

/// The value, if the reader took it; its message is looked at if not.
fn accepted<T>(answer: birkhoff::Result<T>) -> Option<T> {
    answer.inspect_err(check_message).ok()
}

/// A file of these bytes, to be read from the disk.
fn written(name: &str, bytes: &[u8]) -> PathBuf {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for temporary files"));
    let path = FOLDER.path().join(name);
    std::fs::write(&path, bytes).expect("a temporary file");
    path
}

/// Three vertices by name, for what refers to a graph.
fn three() -> NamedGraph {
    let names = ["0", "anna", "Dr. No"].map(String::from).to_vec();
    NamedGraph::new(Graph::directed(3, []).expect("no arcs"), names).expect("three names")
}

/// Undirected and directed; what becomes of repeated rows and of matrices that are not symmetric is up to the length.
fn readings(format: Option<GraphFormat>, length: usize) -> [Reading; 2] {
    [false, true].map(|directed| {
        let repeated = Repeated::ALL[length % Repeated::ALL.len()];
        Reading::new(directed).with_format(format).with_repeated(repeated).with_symmetrize(length.is_multiple_of(2))
    })
}

fn check_graph(named: &NamedGraph, directed: bool) {
    let n = named.graph.vertex_count();
    assert!(n > 0 && named.names.len() == n && named.indices().len() == n);
    assert!(directed || named.graph.is_symmetric());
    assert!(named.graph.arcs().all(|(_, _, weight)| weight.is_finite()));
}

fn graph(bytes: &[u8], format: GraphFormat) {
    for reading in readings(Some(format), bytes.len()) {
        if let Some(file) = accepted(reading.parse(Path::new(FILE), bytes)) {
            // Edges separated by commas are CSV, too.
            let is_table_of_edges = (format, file.format) == (GraphFormat::Csv, GraphFormat::EdgeList);
            assert!(file.format == format || is_table_of_edges, "{format} is read as {}", file.format);
            check_graph(&file.named, reading.directed);
        }
    }
}

/// The content says what it is; where it leaves a choice, one of these extensions does.
fn recognized(bytes: &[u8]) {
    for extension in ["", ".csv", ".mtx", ".xml", ".gz"] {
        for reading in readings(None, bytes.len()) {
            if let Some(file) = accepted(reading.parse(Path::new(&format!("{FILE}{extension}")), bytes)) {
                check_graph(&file.named, reading.directed);
            }
        }
    }
}

/// Packed by somebody, or not at all.
fn gzip(bytes: &[u8]) {
    let path = written(&format!("{FILE}.edges.gz"), bytes);
    for reading in readings(None, bytes.len()) {
        if let Some(file) = accepted(reading.read(&path)) {
            check_graph(&file.named, reading.directed);
        }
    }
}

fn matrix(bytes: &[u8]) {
    if let Some(matrix) = accepted(parse_matrix(Path::new(FILE), bytes)) {
        assert!(!matrix.is_empty() && matrix.iter().all(|entry| entry.is_finite()));
    }
}

fn npy(bytes: &[u8]) {
    if let Some(tensor) = accepted(parse_npy(Path::new(FILE), bytes)) {
        assert_eq!(tensor.shape.iter().product::<usize>(), tensor.values.len());
        assert!(tensor.values.iter().all(|value| value.is_finite()));
        let _ = accepted(tensor.matrix(Path::new(FILE)));
    }
}

/// Shapes, numbers, and a copy with the first axis turned round and back.
fn safetensors(bytes: &[u8]) {
    let from = written(&format!("{FILE}.safetensors"), bytes);
    let to = from.with_file_name(format!("{FILE}.copy.safetensors"));
    let Some(shapes) = accepted(read_shapes(&from)) else { return };
    for (name, shape) in shapes.iter().take(4) {
        let Some(tensor) = accepted(read_tensor(&from, Some(name))) else { continue };
        assert_eq!(&tensor.shape, shape);
        let Some(&length) = shape.first().filter(|&&length| length < 1000) else { continue };
        let turned = Permutation::new((0..length).rev().collect()).expect("a permutation");
        reorder_safetensors(&from, &to, &[(name, 0, &turned)]).expect("an axis of this length");
        reorder_safetensors(&to, &to, &[(name, 0, &turned)]).expect("an axis of this length");
        assert_eq!(read_tensor(&to, Some(name)).expect("what was written"), tensor);
    }
}

fn qaplib(bytes: &[u8]) {
    if let Some(problem) = accepted(parse_qaplib(Path::new(FILE), bytes)) {
        assert!(problem.n > 0 && problem.a.shape() == (problem.n, problem.n) && problem.b.shape() == problem.a.shape());
    }
}

fn qaplib_solution(bytes: &[u8]) {
    if let Some(solution) = accepted(parse_qaplib_solution(Path::new(FILE), bytes, 3)) {
        assert_eq!(solution.permutation.len(), 3);
    }
}

fn pairs(bytes: &[u8]) {
    let (a, b) = (three(), three());
    if let Some(pairs) = accepted(parse_pairs(Path::new(FILE), bytes, &a, &b)) {
        assert!(pairs.iter().all(|&(i, j)| i < 3 && j < 3));
        let _ = accepted(truth_from_pairs(Path::new(FILE), &pairs, &a, &b));
    }
}

fn similarity_matrix(bytes: &[u8]) {
    if let Some(similarity) = accepted(parse_similarity_matrix(Path::new(FILE), bytes, &three(), &three())) {
        assert_eq!(similarity.shape(), (3, 3));
        assert!(similarity.iter().all(|entry| entry.is_finite()));
    }
}

/// As it is; and with the sum of what follows the first line, gone on from.
fn search_checkpoint(bytes: &[u8]) {
    let _ = accepted(parse_checkpoint(Path::new(FILE), bytes));
    let body = bytes.splitn(2, |&byte| byte == b'\n').nth(1).unwrap_or_default();
    let sum: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let head = format!("{{\"format\":\"birkhoff checkpoint 1\",\"sha256\":\"{sum}\"}}\n");
    let summed = [head.as_bytes(), body].concat();
    let Some(parts) = accepted(parse_checkpoint(Path::new(FILE), &summed)) else { return };
    let path = Graph::undirected(4, [(0, 1, 1.0), (1, 2, 2.5), (2, 3, 1.0)]).expect("a path");
    let layers = Layers::new(vec![(path.clone(), path)], &[(0, 3)]).expect("an anchor");
    let limits = Limits::default().with_keeper(Arc::new(Hostile(parts)));
    if let Some(answer) = accepted(search(&layers, &Options::default(), &limits)) {
        let partners: Vec<u32> = answer.partners.iter().map(|j| j.map_or(NONE, |j| j as u32)).collect();
        assert!(partners[0] == 3 && answer.value == layers.value(&partners));
        Permutation::new(partners.into_iter().map(|j| j as usize).collect()).expect("each vertex once");
    }
}

/// Gives parts of whatever search it is asked for.
struct Hostile(Vec<Part>);

impl Keeper for Hostile {
    fn begin(&self, _: Task) -> birkhoff::Result<Vec<Part>> {
        Ok(self.0.clone())
    }

    fn keep(&self, _: &Part) {}

    fn end(&self) {}

    fn refuse(&self, cause: String) -> Error {
        Error::file(FILE, cause)
    }
}

fn similarity_triples(bytes: &[u8]) {
    if let Some(similarity) = accepted(parse_similarity_triples(Path::new(FILE), bytes, &three(), &three())) {
        assert_eq!(similarity.shape(), (3, 3));
        assert!(similarity.triples().all(|(_, _, entry)| entry.is_finite()));
    }
}
