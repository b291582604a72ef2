//! Files as other programs write them: read for what they are, or refused by name.

use super::room::Room;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Matches two graphs of this text under these names, and returns the summary and the report.
fn matched(a: (&str, &str), b: (&str, &str), options: &str) -> (String, Value) {
    let room = Room::with(&[a, b]);
    let summary = room.done(&format!("match {} {} --report r.json {options}", a.0, b.0));
    (summary, room.json("r.json"))
}

/// Expects value 0, that is, the same graph, with so many vertices and edges.
fn same(a: (&str, &str), b: (&str, &str), sizes: (u64, u64)) -> Value {
    let (summary, report) = matched(a, b, "");
    assert_eq!(report["value"], Value::from(0.0), "{a:?}: {summary}");
    let graph = &report["graphs"][0];
    assert_eq!(
        (graph["vertices"].as_u64(), graph["edges"].as_u64()),
        (Some(sizes.0), Some(sizes.1)),
        "{a:?}: {summary}"
    );
    report
}

/// A path with a triangle, weights 1 to 5: its only symmetry is none.
const PLAIN: &str = "p q 1\nq r 2\nr s 3\ns q 4\ns t 5\n";

#[test]
fn graphs_of_every_format_are_the_same_graph() {
    let weighted = [
        (
            "a.edgelist",
            "v1 v2 {'weight': 1.0}\nv2 v3 {'weight': 2}\nv3 v4 {'weight': 3}\nv4 v2 {'weight': np.float64(4.0)}\nv4 v5 {'c': 'x y', 'weight': 5}\n",
        ),
        ("a.csv", "source,target,weight\nv1,v2,1\nv2,v3,2\nv3,v4,3\nv4,v2,4\nv4,v5,5\n"),
        ("b.csv", "1,2,1\n2,3,2\n3,4,3\n4,2,4\n4,5,5\n"),
        (
            "c.csv",
            "Source,Target,Type,Id,Label,timeset,Weight\n1,2,Undirected,0,,,1.0\n2,3,Undirected,1,\"a, b\",,2.0\n3,4,Undirected,2,,,3.0\n4,2,Undirected,3,,,4.0\n4,5,Undirected,4,,,5.0\n",
        ),
        (
            "a.tsv",
            "\tsource\ttarget\tweight\n0\tv 1\tv 2\t1\n1\tv 2\tv 3\t2\n2\tv 3\tv 4\t3\n3\tv 4\tv 2\t4\n4\tv 4\tv 5\t5\n",
        ),
        ("b.tsv", "gene 1\tgene 2\t1\ngene 2\tgene 3\t2\ngene 3\tgene 4\t3\ngene 4\tgene 2\t4\ngene 4\tgene 5\t5\n"),
        (
            "a.txt",
            "protein1 protein2 combined_score\n9606.1 9606.2 1\n9606.2 9606.1 1\n9606.2 9606.3 2\n9606.3 9606.2 2\n9606.3 9606.4 3\n9606.4 9606.3 3\n9606.4 9606.2 4\n9606.2 9606.4 4\n9606.4 9606.5 5\n9606.5 9606.4 5\n",
        ),
        (
            "b.txt",
            "\"from\" \"to\" \"weight\"\n\"1\" \"v1\" \"v2\" 1\n\"2\" \"v2\" \"v3\" 2\n\"3\" \"v3\" \"v4\" 3\n\"4\" \"v4\" \"v2\" 4\n\"5\" \"v4\" \"v5\" 5\n",
        ),
        ("c.txt", "0 1 0 0 0\n1 0 2 4 0\n0 2 0 3 0\n0 4 3 0 5\n0 0 0 5 0\n"),
        (
            "a.gml",
            "Creator \"x\"\ngraph [\n directed 0\n node [ id 1 label \"v1\" ]\n node [ id 2 label \"v2\" ]\n node [ id 3 label \"v3\" ]\n node [ id 4 label \"v4\" ]\n node [ id 5 label \"v5\" ]\n edge [ source 1 target 2 weight 1 ]\n edge [ source 2 target 3 weight 2 ]\n edge [ source 3 target 4 weight 3 ]\n edge [ source 4 target 2 weight 4 ]\n edge [ source 4 target 5 weight 5 ]\n]\n",
        ),
        (
            "a.gw",
            "LEDA.GRAPH\nstring\nint\n-2\n5\n|{v1}|\n|{v2}|\n|{v3}|\n|{v4}|\n|{v5}|\n5\n1 2 0 |{1}|\n2 3 0 |{2}|\n3 4 0 |{3}|\n4 2 0 |{4}|\n4 5 0 |{5}|\n",
        ),
        (
            "a.mtx",
            "%%MatrixMarket matrix coordinate unsigned-integer symmetric\n5 5 6\n2 1 1\n3 2 1\n3 2 1\n4 3 3\n4 2 4\n5 4 5\n",
        ),
        (
            "a.graphml",
            "<?xml version='1.0' encoding='utf-8'?><graphml><key id='d1' for='edge' attr.name='weight' attr.type='long'/><key id='d0' for='edge' attr.name='weight' attr.type='double'/><graph edgedefault='undirected'><node id='v1'/><node id='v2'/><node id='v3'/><node id='v4'/><node id='v5'/><edge source='v1' target='v2'><data key='d0'>1.0</data></edge><edge source='v2' target='v3'><data key='d1'>2</data></edge><edge source='v3' target='v4'><data key='d1'>3</data></edge><edge source='v4' target='v2'><data key='d1'>4</data></edge><edge source='v4' target='v5'><data key='d1'>5</data></edge></graph></graphml>",
        ),
    ];
    for (name, text) in weighted {
        let report = same((name, text), ("plain", PLAIN), (5, 5));
        assert_eq!(report["graphs"][0]["weighted"], Value::from(true), "{name}");
        // And under a name that says nothing, where nothing but `.csv` told a matrix from edges.
        same(("unnamed", text), ("plain", PLAIN), (5, 5));
    }
    let unweighted = "p q\nq r\nr s\ns q\ns t\n";
    for (name, text) in [
        ("a.sif", "v1 pp v2\nv2 pp v3 v4\nv3 pd v4\nv4 pp v5\n"),
        ("b.sif", "v 1\tbinds to\tv 2\nv 2\tbinds to\tv 3\tv 4\nv 3\tbinds to\tv 4\nv 4\tbinds to\tv 5\n"),
        ("a.edges", "source target\nv1 v2\nv2 v3\nv3 v4\nv4 v2\nv4 v5\n"),
        ("b.edges", "v1 v2 {}\nv2 v3 {}\nv3 v4 {}\nv4 v2 {}\nv4 v5 {}\n"),
    ] {
        let report = same((name, text), ("plain", unweighted), (5, 5));
        assert_eq!(report["graphs"][0]["weighted"], Value::from(false), "{name}");
        same(("unnamed", text), ("plain", unweighted), (5, 5));
    }
}

#[test]
fn vertices_go_by_the_names_that_people_gave_them() {
    let igraph = |names: [&str; 3]| {
        let node = |k: usize| format!("<node id='n{k}'><data key='v_name'>{}</data></node>", names[k]);
        format!(
            "<graphml><key id='v_name' for='node' attr.name='name' attr.type='string'/><graph edgedefault='undirected'>\
             {}{}{}<edge source='n0' target='n1'/><edge source='n1' target='n2'/><edge source='n2' target='n2'/></graph></graphml>",
            node(0),
            node(1),
            node(2)
        )
    };
    let gml = "graph [ node [ id 0 label \"x y\" ] node [ id 1 label \"z\" ] node [ id 2 label \"w\" ] \
               edge [ source 2 target 1 ] edge [ source 0 target 0 ] edge [ source 0 target 1 ] ]";
    let room = Room::with(&[
        ("a.graphml", &igraph(["gene A", "gene B", "gene C"])),
        ("b.gml", gml),
        ("truth.csv", "a,b\n\"gene A\",w\n\"gene B\",z\n\"gene C\",\"x y\"\n"),
    ]);
    room.done("match a.graphml b.gml --truth truth.csv --output m.csv --report r.json");
    assert_eq!(room.pairs("m.csv"), ["\"gene A\",w", "\"gene B\",z", "\"gene C\",\"x y\""]);
    assert_eq!(room.json("r.json")["node_correctness"], Value::from(1.0));
}

#[test]
fn what_gzip_has_compressed_is_unpacked_also_from_standard_input() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(PLAIN.as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let room = Room::with(&[("b.edges", PLAIN)]);
    std::fs::write(room.0.path().join("a.edges.gz"), &packed).unwrap();
    assert!(room.done("match a.edges.gz b.edges").contains("a.edges.gz: 5 vertices, 5 edges"));
    let output = room.command("match - b.edges").write_stdin(packed.clone()).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("standard input: 5 vertices, 5 edges"));
    std::fs::write(room.0.path().join("a.edges.gz"), &packed[..20]).unwrap();
    room.refused("match a.edges.gz b.edges", "a.edges.gz: compressed by gzip, but broken");
}

#[test]
fn formats_that_are_not_read_are_refused_by_name() {
    for (name, text, format) in [
        ("a.net", "*Vertices 2\n1 \"a\"\n2 \"b\"\n*Edges\n1 2\n", "Pajek (.net)"),
        ("a.gexf", "<?xml version='1.0'?>\n<gexf><graph/></gexf>", "GEXF"),
        ("a.g6", "DQc\n", "graph6"),
        ("a.dot", "graph G {\n a -- b\n}\n", "Graphviz"),
        ("a.json", "{\"nodes\": [], \"links\": []}", "JSON"),
        ("a.html", "<!DOCTYPE html>\n<html></html>", "an HTML page"),
        ("a.xlsx", "PK\u{5}\u{6}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "a ZIP archive"),
        ("a.mat", "MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file"),
        ("a.pdf", "%PDF-1.4\n", "a PDF document"),
        ("a.adjlist", "0 1 2\n1 2\n2\n", "an adjacency list"),
        ("a.graph", "3 3\n2 3\n1 3\n1 2\n", "a METIS graph"),
        ("a.col", "p edge 3 2\ne 1 2\ne 2 3\n", "DIMACS"),
        ("a.edges", "a\u{0}b c\n", "a binary file"),
    ] {
        let room = Room::with(&[(name, text), ("b", PLAIN)]);
        room.refused(&format!("match {name} b"), &format!("{name}: looks like {format}"));
    }
    let room = Room::with(&[("a.adjlist", "0 1 2\n1 2\n2\n"), ("b", PLAIN)]);
    room.done("match a.adjlist b --format edge-list");
}

#[test]
fn repeated_rows_are_said_and_added_on_demand() {
    let rows = ("syn.edges", "AVAL SDQL 1\nAVAL SDQL 1\nAVAL AVBR 1\nAVAL AVBR 1\nAVAL AVBR 1\n");
    let weights = ("synw.edges", "X Y 2\nX Z 3\n");
    let (summary, report) = matched(rows, weights, "");
    assert!(summary.contains("3 rows repeat an edge with the same weight"), "{summary}");
    assert_eq!(report["graphs"][0]["repeated"], Value::from(3));
    assert_eq!(report["graphs"][1]["repeated"], Value::from(0));
    let (summary, report) = matched(rows, weights, "--repeated sum");
    assert_eq!(report["value"], Value::from(0.0));
    assert!(summary.contains("3 rows repeat an edge before: their weights are added"), "{summary}");
    for how in ["first", "max"] {
        matched(rows, weights, &format!("--repeated {how}"));
    }
    let room =
        Room::with(&[rows, weights, ("diff.edges", "AVAL SDQL 1\nAVAL SDQL 4\n"), ("both", "a b 2\nb a 2\nb c 1\n")]);
    room.refused(
        "match syn.edges synw.edges --repeated error",
        "syn.edges:2: the edge from 'AVAL' to 'SDQL' has weight 1",
    );
    room.refused(
        "match diff.edges synw.edges",
        "diff.edges:2: the edge from 'AVAL' to 'SDQL' has weight 4, but 1 in line 1",
    );
    assert!(!room.done("match both both --repeated sum").contains("repeat"));
    assert!(!room.done("match both both --repeated error").contains("repeat"));
}

#[test]
fn the_summary_says_what_kind_of_graphs_these_are() {
    let loops = ("a", "a b 2\nb b 1\na a 1\n");
    let (summary, report) = matched(loops, ("b", "x y\ny z\n"), "");
    assert!(summary.contains("A             a: 2 vertices, 3 edges; undirected, weighted, 2 loops\n"), "{summary}");
    assert!(summary.contains("B             b: 3 vertices, 2 edges; undirected, unweighted\n"), "{summary}");
    let graph = &report["graphs"][0];
    assert_eq!(
        (&graph["loops"], &graph["directed"], &graph["format"]),
        (&2.into(), &false.into(), &"edge-list".into())
    );
    let (summary, report) = matched(loops, ("b", "x y\ny z\n"), "--directed");
    assert!(summary.contains("a: 2 vertices, 3 edges; directed, weighted, 2 loops"), "{summary}");
    assert_eq!(report["graphs"][0]["directed"], Value::from(true));
    let (summary, _) = matched(("t.csv", "source,target,weight,note\na,b,1,x\nb,c,2,y\n"), ("b", "x y\ny z\n"), "");
    assert!(summary.contains("weights in 'weight'; 'note' is not read"), "{summary}");
}

#[test]
fn rounding_is_no_asymmetry_and_asymmetry_is_measured() {
    let nearly = "1,0.1,0\n0.10000000000000002,1,0.3\n1e-17,0.3,1\n";
    let (summary, report) = matched(("c.csv", nearly), ("d.csv", nearly), "");
    assert_eq!(report["value"], Value::from(0.0), "{summary}");
    assert!(summary.contains("symmetric but for rounding"), "{summary}");
    let room = Room::with(&[("far.csv", "0,1,0\n2,0,3\n0,3,0\n"), ("arcs", "a b 1\nb a 2\n"), ("b", "x y\ny z\n")]);
    let cause = "far.csv: not an undirected graph: the weight from '0' to '1' is 1, but 2 from '1' to '0' (at most 1.0e0 apart, \
                 3.3e-1 of the largest weight); --directed reads it as a directed graph, --symmetrize takes the mean";
    room.refused("match far.csv b", cause);
    let summary = room.done("match far.csv b --symmetrize");
    assert!(summary.contains("not symmetric, by up to 1.0e0: the mean of both directions is taken"), "{summary}");
    room.refused(
        "match arcs b",
        "arcs:2: the edge from 'b' to 'a' has weight 2, but 1 in line 1; --directed reads arcs",
    );
    room.done("match arcs b --symmetrize");
    room.done("match arcs b --directed");
    let output = room.run("match arcs b --directed --symmetrize");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn headers_of_anchors_and_truths_are_recognized_and_partial_truths_score_what_they_know() {
    let room = Room::with(&[
        ("g", "a b\nb c\nc d\nd a\na c\nd e\n"),
        ("h", "p q\nq r\nr s\ns p\np r\ns t\n"),
        ("anchors.csv", "graph1,graph2\na,p\n"),
        ("partial.csv", "a,p\nb,q\n"),
        ("wrong.csv", "\"of g\",\"of h\"\ne,p\nb,q\n"),
    ]);
    assert!(room.done("match g h --anchors anchors.csv").contains("1 of them anchors"));
    let summary = room.done("match g h --anchors anchors.csv --truth partial.csv --report r.json");
    assert!(summary.contains("2 of 2 matched to their true partner"), "{summary}");
    assert_eq!(room.json("r.json")["known_vertices"], Value::from(2));
    assert!(room.done("match g h --truth wrong.csv").contains("1 of 2 matched to their true partner"));
}

#[test]
fn arrays_of_numpy_are_graphs_and_starts_and_similarities() {
    let room = Room::with(&[("b.csv", "0,1,2\n1,0,0\n2,0,3\n")]);
    let values = [0.0, 1.0, 2.0, 1.0, 0.0, 0.0, 2.0, 0.0, 3.0];
    std::fs::write(room.0.path().join("a.npy"), npy("<f8", &[3, 3], &values.map(f64::to_le_bytes).concat())).unwrap();
    let summary = room.done("match a.npy b.csv --report r.json");
    assert_eq!(room.json("r.json")["value"], Value::from(0.0), "{summary}");
    assert_eq!(room.json("r.json")["graphs"][0]["format"], Value::from("npy"));
    let identity = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0].map(f64::to_be_bytes).concat();
    std::fs::write(room.0.path().join("s.npy"), npy(">f8", &[3, 3], &identity)).unwrap();
    room.done("match a.npy b.csv --similarity s.npy --start s.npy --method faq");
}

/// The bytes of a .npy file.
pub fn npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|length| format!("{length},")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

// ---- The inputs that once went wrong, where they are at hand ----

fn case(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    if !folder.is_dir() {
        eprintln!("skipped: there is no folder {}", folder.display());
        return None;
    }
    Some(folder.join(name))
}

/// Matches two of the cases, with options; files among these are cases as well.
fn match_cases(arguments: &[&str]) -> Option<(String, Value)> {
    let room = Room::with(&[]);
    let mut command = room.command("match");
    for argument in arguments {
        if argument.contains('/') {
            command.arg(case(argument)?)
        } else {
            command.arg(argument)
        };
    }
    let output = command.args(["--report", "r.json"]).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some((String::from_utf8(output.stdout).unwrap(), room.json("r.json")))
}

#[test]
fn the_cases_of_files_are_read_for_what_they_are() {
    for (arguments, vertices, edges) in [
        (&["formats/a.edgelist", "formats/b.edgelist"][..], 40, 149),
        (&["formats/a.gml", "formats/b.gml", "--truth", "formats/truth.csv"], 40, 149),
        (&["formats/a.gw", "formats/b.gw"], 30, 56),
        (&["formats/a.sif", "formats/b.sif"], 30, 56),
        (&["tables/string_a.txt", "tables/string_b.txt"], 12, 25),
        (&["tables/plain_a.csv", "tables/plain_b.csv"], 12, 25),
        (&["tables/swt_a.csv", "tables/swt_b.csv"], 12, 25),
        (&["tables/gephi_a.csv", "tables/gephi_b.csv"], 12, 25),
        (&["tables/tabname_a.tsv", "tables/tabname_b.tsv"], 12, 25),
        (&["tables/pd_a.tsv", "tables/swt_b.csv"], 12, 25),
        (&["tables/txt_a.edges", "tables/txt_b.edges"], 12, 25),
        (&["matrices/dup_sum.mtx", "matrices/sym_int_b.mtx"], 9, 31),
        (&["matrices/M.npy", "matrices/sym_int_b.mtx"], 9, 31),
        (&["matrices/uint.mtx", "matrices/uint.mtx"], 9, 31),
        (&["matrices/corr.csv", "matrices/corr.csv"], 9, 45),
        (&["matrices/d.csv", "matrices/d.csv"], 9, 45),
        (&["graphml/nx_mixed_a.graphml", "graphml/nx_mixed_b.graphml"], 14, 0),
        (&["graphml/igraph_a.graphml", "graphml/igraph_b.graphml", "--truth", "graphml/truth_names.csv"], 14, 0),
        (&["graphml/nx_multiw_a.graphml", "graphml/nx_multiw_b.graphml", "--repeated", "sum"], 14, 0),
        (&["misc/syn.edges", "misc/synw.edges", "--repeated", "sum"], 3, 2),
    ] {
        let Some((summary, report)) = match_cases(arguments) else { return };
        assert_eq!(report["value"], Value::from(0.0), "{arguments:?}: {summary}");
        assert_eq!(report["graphs"][0]["vertices"], Value::from(vertices), "{arguments:?}: {summary}");
        if edges > 0 {
            assert_eq!(report["graphs"][0]["edges"], Value::from(edges), "{arguments:?}: {summary}");
        }
        if arguments.contains(&"--truth") {
            assert_eq!(report["known_vertices"], Value::from(vertices), "{arguments:?}: {summary}");
        }
    }
}

#[test]
fn the_cases_that_need_a_word_get_it() {
    let Some((summary, _)) = match_cases(&["misc/syn.edges", "misc/synw.edges"]) else { return };
    assert!(summary.contains("3 rows repeat an edge"), "{summary}");
    let Some((summary, _)) = match_cases(&["misc/g.edges", "misc/h.edges", "--anchors", "misc/anch_hdr.csv"]) else {
        return;
    };
    assert!(summary.contains("1 of them anchors"), "{summary}");
    let Some((summary, _)) = match_cases(&["misc/g.edges", "misc/h.edges", "--truth", "misc/partial.csv"]) else {
        return;
    };
    assert!(summary.contains("of 2 matched to their true partner"), "{summary}");
    let room = Room::with(&[]);
    for (name, message) in
        [("graphml/nx_multiw_a.graphml", "--repeated sum, first or max decides"), ("misc/syndiff.edges", "decides")]
    {
        let path = case(name).unwrap();
        let output = room.command("match").arg(&path).arg(&path).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(message), "{name}");
    }
    for name in ["matrices/P_b1.npy", "matrices/tinyneg.npy"] {
        let output = room.command("certify").arg(case(name).unwrap()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains("unique, proved by"), "{name}: {text}");
    }
}
