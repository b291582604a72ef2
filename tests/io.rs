//! Reading and writing: round trips, hostile bytes, and the real files of `../shared/data`.

use birkhoff::io::{
    GraphFormat, NamedGraph, Reading, parse_csv_graph, parse_graph, parse_matrix, parse_npy, parse_pairs, parse_qaplib,
    parse_qaplib_solution, parse_similarity_matrix, parse_similarity_triples, read_graph, read_matrix, read_pairs,
    read_qaplib, read_qaplib_solution, read_truth, truth_from_pairs, write_graph, write_match, write_matrix,
};
use birkhoff::{Graph, Permutation};
use nalgebra::DMatrix;
use proptest::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

// ---- Memory: what all threads of the tests together hold, at its worst ----

struct Counted;
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work.
#[allow(unsafe_code, reason = "an allocator that counts")]
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Some tests here hold 10⁶ vertex names on purpose, in several threads at once: 70 MB each.
const MOST_MEMORY: usize = 400_000_000;

/// A failure is printed in full; no file is kept beside the tests.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

// ---- Round trips ----

/// Names of every kind: words, numbers, negative numbers, anything without control characters, awkward ones.
fn name() -> impl Strategy<Value = String> {
    const AWKWARD: [&str; 15] =
        ["-1", "#a", "%", "a b", "\"", "nan", "1e5", "07", "a,b", "a", "b", "<&>", "é;", "]]>", "\u{feff}x"];
    let anything = proptest::collection::vec(any::<char>(), 1..5).prop_map(String::from_iter);
    let writable = |name: &String| !name.contains(|c: char| c.is_control() || c == '\u{fffe}' || c == '\u{ffff}');
    prop_oneof![
        "[a-z]{1,3}",
        "[a\"<>'{},;#%:= ]{1,5}",
        (0..30u32).prop_map(|i| i.to_string()),
        proptest::sample::select(&AWKWARD[..]).prop_map(String::from),
        anything.prop_filter("control character", writable),
    ]
}

fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL]
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let integers = proptest::collection::btree_set(0..50u32, 1..8)
        .prop_map(|numbers| numbers.into_iter().rev().map(|i| i.to_string()).collect());
    prop_oneof![3 => proptest::collection::btree_set(name(), 1..8).prop_map(Vec::from_iter), 1 => integers]
        .prop_shuffle()
}

/// A graph and whether it is directed.
fn named_graph() -> impl Strategy<Value = (NamedGraph, bool)> {
    let parts = names().prop_flat_map(|names| {
        let n = names.len();
        (Just(names), proptest::collection::btree_map((0..n, 0..n), weight(), 0..12), any::<bool>())
    });
    parts.prop_map(|(names, edges, directed)| {
        let mut kept = BTreeMap::new();
        for ((i, j), weight) in edges {
            kept.insert(if directed || i <= j { (i, j) } else { (j, i) }, weight);
        }
        let edges = kept.into_iter().map(|((i, j), weight)| (i, j, weight));
        let n = names.len();
        let graph = if directed { Graph::directed(n, edges) } else { Graph::undirected(n, edges) };
        (NamedGraph::new(graph.unwrap(), names).unwrap(), directed)
    })
}

fn arcs_by_name(named: &NamedGraph) -> BTreeMap<(String, String), f64> {
    let name = |i: usize| named.names[i].clone();
    named.graph.arcs().map(|(i, j, weight)| ((name(i), name(j)), weight)).collect()
}

fn are_integers(names: &[String]) -> bool {
    names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_written_graph_is_read_back_the_same_in_every_format((named, directed) in named_graph()) {
        let folder = tempfile::tempdir().unwrap();
        for format in GraphFormat::WRITTEN {
            let path = folder.path().join(format.name());
            write_graph(&path, &named, Some(format), directed).unwrap();
            let back = read_graph(&path, Some(format), directed);
            let text = std::fs::read_to_string(&path).unwrap();
            let back = back.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            if format == GraphFormat::MatrixMarket {
                prop_assert_eq!(&back.graph, &named.graph);
                let numbers: Vec<String> = (1..=named.names.len()).map(|i| i.to_string()).collect();
                prop_assert_eq!(back.names, numbers);
            } else if format == GraphFormat::EdgeList && are_integers(&named.names) {
                prop_assert_eq!(arcs_by_name(&back), arcs_by_name(&named));
                prop_assert_eq!(BTreeSet::from_iter(&back.names), BTreeSet::from_iter(&named.names));
                let numbers: Vec<u128> = back.names.iter().map(|name| name.parse().unwrap()).collect();
                prop_assert!(numbers.is_sorted());
            } else {
                prop_assert_eq!(&back, &named, "{}", text);
            }
        }
    }

    #[test]
    fn written_pairs_are_read_back_the_same(a in names(), b in names()) {
        let isolated = |names: Vec<String>| NamedGraph::new(Graph::directed(names.len(), []).unwrap(), names).unwrap();
        let (a, b) = (isolated(a), isolated(b));
        let pairs: Vec<(usize, usize)> = (0..a.names.len()).rev().zip(0..b.names.len()).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("match.csv");
        write_match(&path, pairs.iter().map(|&(i, j)| (a.names[i].as_str(), b.names[j].as_str()))).unwrap();
        match read_pairs(&path, &a, &b) {
            Ok(back) => {
                prop_assert_eq!(&back, &pairs);
                let truth = truth_from_pairs(&path, &pairs, &a, &b).unwrap();
                prop_assert_eq!(read_truth(&path, &a, &b).unwrap(), truth);
            }
            // Only where a vertex of A is called a and one of B is called b, and neither is in a pair.
            Err(error) => prop_assert!(error.to_string().contains("could be the header or a pair"), "{}", error),
        }
    }

    #[test]
    fn a_written_matrix_is_read_back_the_same(
        (rows, columns, entries) in (1..6usize, 1..6usize)
            .prop_flat_map(|(r, c)| (Just(r), Just(c), proptest::collection::vec(weight(), r * c)))
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("matrix.csv");
        let matrix = DMatrix::from_row_slice(rows, columns, &entries);
        write_matrix(&path, &matrix).unwrap();
        prop_assert_eq!(read_matrix(&path).unwrap(), matrix);
    }
}

// ---- Hostile bytes ----

const VALID: [&str; 24] = [
    "# c\nanna bert\nbert,carl;2.5\n\"Dr. No\"\n",
    "10 9 -1.5\n9 8 1e3\n7\n",
    "%%MatrixMarket matrix coordinate real symmetric\n% c\n3 3 2\n2 1 1.0\n3 2 2.5\n",
    "%%MatrixMarket matrix coordinate pattern general\n3 3 2\n2 1\n1 2\n",
    "%%MatrixMarket matrix array integer skew-symmetric\n3 3\n1\n2\n3\n",
    "%%MatrixMarket matrix array real general\n1000000 1000000\n1\n2\n3\n",
    "%%MatrixMarket matrix coordinate real general\n1000000000 1000000000 1\n1 1 1\n",
    "<graphml><key id=\"w\" for=\"edge\" attr.name=\"weight\"><default>2</default></key>\n<graph edgedefault=\"undirected\">\
     <node id=\"a\"/><node id=\"b&amp;\"><data key=\"x\">1</data></node>\n<edge source=\"a\" target=\"b&amp;\">\
     <data key=\"w\">2.5</data></edge></graph></graphml>",
    "0,1.5,0\n1.5,0,2\n0,2,0\n",
    ",anna,bert\nanna,0,1\nbert,1,0\n",
    "Source,Target,Type,Id,Weight\n0,1,Directed,0,2\n1,2,Undirected,1,\"3\"\n",
    "protein1\tprotein2\tscore\na b\tc\t7\nc\ta b\t7\n",
    "a b {'weight': np.float64(1.0), 'x': (1, [2])}\nb c {}\n",
    "Creator \"x\"\ngraph [ directed 1 node [ id 0 label \"a&#233;\" ] node [ id 1 x [ y 1 ] ] edge [ source 0 target 1 value 2 ] ]",
    "LEDA.GRAPH\nstring\ndouble\n-2\n2\n|{a}|\n|{b}|\n1\n1 2 0 |{2.5}|\n",
    "a pp b c\nd\n",
    "a\tb c\td\n",
    "<?xml version='1.0' encoding='iso-8859-1'?><graphml><key id='n' for='node' attr.name='name'/><graph edgedefault='directed'>\
     <node id='0'><data key='n'>x</data></node><edge source='0' target='0'/></graph></graphml>",
    "2\n0 3\n3 0\n\n0 1\n1 0\n",
    "1000000000\n1 2 3\n",
    "3 578\n2 3 1\n",
    "a,b\n0,1\n1,0\n2,2\n",
    "a,b,s\n0,1,0.5\n2,2,1\n",
    "0,1,2\n1,2,3\n4,5,6\n7,8,9\n",
];

#[derive(Debug, Clone)]
enum Mutation {
    Set(usize, u8),
    Insert(usize, &'static [u8]),
    Cut(usize, usize),
    Double(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = 0..400usize;
    const PIECES: [&[u8]; 16] = [
        b"\0",
        b"\xff",
        b"-",
        b"99999999999999999999",
        b"999999",
        b"nan",
        b"inf",
        b"1e999",
        b",",
        b"\"",
        b"\n",
        b"#",
        b"&#x0;",
        b"<graph>",
        b"</graph>",
        b"\r",
    ];
    prop_oneof![
        (place.clone(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (place.clone(), proptest::sample::select(&PIECES[..])).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (place.clone(), 1..40usize).prop_map(|(at, length)| Mutation::Cut(at, length)),
        (place, 1..40usize).prop_map(|(at, length)| Mutation::Double(at, length)),
    ]
}

fn mutated(mut bytes: Vec<u8>, mutations: Vec<Mutation>) -> Vec<u8> {
    for mutation in mutations {
        let (at, length) = match mutation {
            Mutation::Set(at, _) | Mutation::Insert(at, _) => (at, 0),
            Mutation::Cut(at, length) | Mutation::Double(at, length) => (at, length),
        };
        let start = at % (bytes.len() + 1);
        let end = (start + length).min(bytes.len());
        match mutation {
            Mutation::Set(_, byte) if start < bytes.len() => bytes[start] = byte,
            Mutation::Set(..) => {}
            Mutation::Insert(_, piece) => drop(bytes.splice(start..start, piece.iter().copied())),
            Mutation::Cut(..) => drop(bytes.drain(start..end)),
            Mutation::Double(..) => bytes.extend_from_within(start..end),
        }
    }
    bytes
}

/// Every reader; the answers only have to be answers, errors with the file's name and good graphs.
fn feed_every_reader(bytes: &[u8]) {
    let file = Path::new("hostile.file");
    let three = NamedGraph::numbered(Graph::directed(3, []).unwrap());
    let mut messages = Vec::new();
    for directed in [false, true] {
        for format in GraphFormat::ALL {
            match parse_graph(file, bytes, format, directed) {
                Ok(named) => {
                    let n = named.graph.vertex_count();
                    assert!(n > 0 && named.names.len() == n && named.indices().len() == n);
                    assert!(directed || named.graph.is_symmetric());
                    assert!(named.graph.arcs().all(|(_, _, weight)| weight.is_finite()));
                }
                Err(error) => messages.push(error),
            }
        }
    }
    match Reading::default().parse(file, bytes) {
        Ok(found) => assert!(found.notes.iter().all(|note| note.len() < 600 && !note.contains(char::is_control))),
        Err(error) => messages.push(error),
    }
    messages.extend(parse_matrix(file, bytes).err());
    messages.extend(parse_npy(file, bytes).err());
    messages.extend(parse_qaplib(file, bytes).err());
    messages.extend(parse_qaplib_solution(file, bytes, 3).err());
    messages.extend(parse_pairs(file, bytes, &three, &three).err());
    messages.extend(parse_similarity_matrix(file, bytes, &three, &three).err());
    messages.extend(parse_similarity_triples(file, bytes, &three, &three).err());
    for error in messages {
        let message = error.to_string();
        assert!(message.starts_with("hostile.file:"), "{message}");
        assert!(message.len() < 600 && !message.contains(char::is_control), "{message:?}");
    }
    assert!(PEAK.load(Ordering::Relaxed) < MOST_MEMORY);
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn random_bytes_never_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        feed_every_reader(&bytes);
    }

    #[test]
    fn random_text_never_makes_a_reader_panic(text in "[a-c0-9 ,;#%\"\n.<>/=&e-]{0,80}|\\PC{0,40}") {
        feed_every_reader(text.as_bytes());
    }

    #[test]
    fn mutated_files_never_make_a_reader_panic(
        valid in proptest::sample::select(&VALID[..]), mutations in proptest::collection::vec(mutation(), 1..5)
    ) {
        feed_every_reader(&mutated(valid.as_bytes().to_vec(), mutations));
    }
}

#[test]
fn a_header_alone_cannot_take_much_memory() {
    for text in [
        "%%MatrixMarket matrix coordinate real general\n1000000000 1000000000 1\n",
        "%%MatrixMarket matrix coordinate real general\n1000000 1000000 0\n",
        "%%MatrixMarket matrix coordinate real general\n2 2 18446744073709551615\n",
        "%%MatrixMarket matrix array real symmetric\n1000000 1000000\n",
        "1000000000 1",
        "3037000500 1",
        "18446744073709551615 1",
    ] {
        feed_every_reader(text.as_bytes());
    }
    let deep = format!("<graphml><graph edgedefault=\"directed\">{}", "<a>".repeat(200_000));
    feed_every_reader(deep.as_bytes());
}

#[test]
fn every_valid_example_of_the_fuzzer_is_valid_for_some_reader() {
    let file = Path::new("valid");
    let three = NamedGraph::numbered(Graph::directed(3, []).unwrap());
    for text in VALID.iter().filter(|text| !text.contains("1000000")) {
        let bytes = text.as_bytes();
        let graph = GraphFormat::ALL.iter().any(|&format| parse_graph(file, bytes, format, true).is_ok());
        let other = parse_qaplib(file, bytes).is_ok()
            || parse_qaplib_solution(file, bytes, 3).is_ok()
            || parse_pairs(file, bytes, &three, &three).is_ok()
            || parse_similarity_matrix(file, bytes, &three, &three).is_ok()
            || parse_similarity_triples(file, bytes, &three, &three).is_ok();
        assert!(graph || other, "{text}");
    }
    assert!(parse_csv_graph(file, VALID[8].as_bytes(), false).is_ok());
}

// ---- Standard input and output: this very test program is run again as a filter ----

#[test]
fn a_dash_is_standard_input_and_output() {
    if std::env::var_os("BIRKHOFF_TEST_FILTER").is_some() {
        match read_graph(Path::new("-"), None, false) {
            Ok(named) => write_graph(Path::new("-"), &named, Some(GraphFormat::Csv), false).unwrap(),
            Err(error) => println!("error: {error}"),
        }
        return;
    }
    let filtered = |input: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "io::a_dash_is_standard_input_and_output", "--nocapture"])
            .env("BIRKHOFF_TEST_FILTER", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    };
    assert!(filtered("x y 2\n").contains("x,y\n0,2\n2,0\n"));
    assert!(filtered("x y z\n").contains("error: <stdin>:1: weight 'z' is not a number"));
}

// ---- Real files ----

/// The data folder: `$BIRKHOFF_DATA`, or `../shared/data` beside the project; `None`, with a note, without it.
fn data(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BIRKHOFF_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let folder = root.join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: there is no folder {} (BIRKHOFF_DATA can name another)", folder.display());
    None
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    assert!(!entries.is_empty());
    entries
}

#[test]
fn every_pair_of_real_graphs_is_read_and_its_truth_maps_edges_to_edges() {
    let Some(folder) = data("pairs") else { return };
    for pair in entries(&folder) {
        let graphs = ["a.edges", "b.edges"].map(|name| {
            let path = pair.join(name);
            let named = read_graph(&path, None, false).unwrap();
            // The first line says "..., 1133 vertices 0..1132, 5399 undirected edges, ...".
            let text = std::fs::read_to_string(&path).unwrap();
            let words: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
            let before = |word: &str| {
                words[words.iter().position(|w| w.starts_with(word)).unwrap() - 1].parse::<usize>().unwrap()
            };
            assert_eq!(named.graph.vertex_count(), before("vertices"), "{path:?}");
            assert_eq!(named.graph.edge_count(), before("undirected"), "{path:?}");
            assert!(named.names.iter().enumerate().all(|(i, name)| *name == i.to_string()), "{path:?}");
            named
        });
        let [a, b] = &graphs;
        let truth = read_truth(&pair.join("truth.txt"), a, b).unwrap();
        let p = Permutation::new(truth.into_iter().flatten().collect()).unwrap();
        assert!(p.agreement(&Permutation::identity(p.len())) < 0.1, "{pair:?}: the identity is no answer");
        let inverse = p.inverse();
        let (fewer, more, map) =
            if a.graph.edge_count() <= b.graph.edge_count() { (a, b, &p) } else { (b, a, &inverse) };
        let mut arcs = fewer.graph.arcs();
        assert!(arcs.all(|(i, j, _)| more.graph.weight(map.apply(i), map.apply(j)) == 1.0), "{pair:?}");
    }
}

#[test]
fn every_real_qap_is_read_and_every_solution_has_its_value_one_way_or_the_other() {
    let Some(folder) = data("qaplib") else { return };
    let mut inverse = Vec::new();
    let mut solutions = 0;
    for path in entries(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "dat")) {
        let problem = read_qaplib(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let digits: String = name.chars().filter(char::is_ascii_digit).collect();
        assert_eq!(problem.n, digits.parse::<usize>().unwrap(), "{name}");
        let solution = path.with_extension("sln");
        if !solution.exists() {
            continue;
        }
        let solution = read_qaplib_solution(&solution, problem.n).unwrap();
        let p = problem.orient(&solution).unwrap_or_else(|| panic!("{name}: neither way has the stated value"));
        assert_eq!(problem.value(&p), solution.value, "{name}"); // integers: exact
        solutions += 1;
        if p != solution.permutation {
            inverse.push(name);
        }
    }
    println!("{solutions} solutions, the inverse in {inverse:?}");
    assert_eq!(inverse, ["kra30a", "tai60a", "tai80a"]);
}
