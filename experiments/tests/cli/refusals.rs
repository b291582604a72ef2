//! Bad input: one line, exit code 2, and nothing written.

use super::room::{HEXAGON, OUTPUTS, QAP, QAP_SOLUTION, Room, SMALL_EXPERIMENT, TRIANGLES};

#[test]
fn graphs_that_cannot_be_read_are_refused_with_file_line_and_cause() {
    for (name, text, message) in [
        ("empty.edges", "", "empty.edges: "),
        ("comment.edges", "# no vertex\n", "comment.edges: "),
        ("none.mtx", "%%MatrixMarket matrix coordinate pattern general\n0 0 0\n", "none.mtx:"),
        ("none.graphml", "<graphml><graph edgedefault=\"undirected\"/></graphml>", "none.graphml"),
        ("ragged.csv", "0,1,0\n1,0\n0,1,0\n", "ragged.csv:2: "),
        ("words.csv", "0,1\nx,0\n", "words.csv:2: "),
        ("words.edges", "0 1 2\n1 2 heavy\n", "words.edges:2: weight 'heavy' is not a number"),
        ("nan.edges", "0 1 2\n1 2 nan\n", "nan.edges:2: weight 'nan' is not finite"),
        ("nan.csv", "0,1\nNaN,0\n", "nan.csv:2: "),
        ("range.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 3\n", "range.mtx:3: "),
        ("wide.csv", "0,1,0\n1,0,0\n", "wide.csv: "),
        ("heavy.edges", "0 1 2\n1 2 -1e200\n", "heavy.edges: the weight -1e200 is beyond 1e70"),
        ("arc.csv", "0,1\n0,0\n", "arc.csv: "),
    ] {
        let room = Room::with(&[(name, text), ("b.edges", TRIANGLES)]);
        room.refused(&format!("match {name} b.edges {OUTPUTS}"), message);
        room.refused(&format!("match b.edges {name} {OUTPUTS}"), message);
    }
    let huge = "%%MatrixMarket matrix coordinate pattern general\n1000000 1000000 0\n";
    Room::with(&[("huge.mtx", huge)]).refused(
        &format!("match huge.mtx huge.mtx --engine dense {OUTPUTS}"),
        "huge.mtx: to search 1000000 vertices takes ",
    );
    Room::with_regular_graphs()
        .refused(&format!("match a.edges nowhere.edges {OUTPUTS}"), "nowhere.edges: No such file");
}

#[test]
fn an_engine_that_cannot_do_what_is_asked_is_refused() {
    let room = Room::with_regular_graphs();
    room.refused("match a.edges b.edges --engine sparse --method faq", "engine: is sparse, which is");
    room.refused("match a.edges b.edges --engine sparse --restarts 2", "engine: is sparse, which is");
    room.refused("match a.edges b.edges --hold-out 0.1", "hold_out: hides edges from the sparse search, which");
    for option in ["--trace t.csv", "--start relaxed", "--start walks"] {
        let message = "--engine: is sparse, but traces and starts are";
        room.refused(&format!("match a.edges b.edges --engine sparse {option}"), message);
    }
}

#[test]
fn what_has_no_overlap_is_refused() {
    let room = Room::with(&[("minus.edges", "0 1 2\n1 2 -1\n"), ("b.edges", TRIANGLES)]);
    let refused = |arguments: &str, message| room.refused(&format!("match {arguments} --objective overlap"), message);
    refused("b.edges minus.edges", "minus.edges: the weight -1 is below 0, but --objective overlap takes none");
    refused("b.edges b.edges --layer b.edges minus.edges", "minus.edges: the weight -1 is below 0");
    refused("b.edges b.edges --start walks", "--start: is walks, which begins at a relaxation");
}

#[test]
fn anchors_truths_similarities_and_starts_that_do_not_fit_are_refused() {
    let identity = "0,0\n1,1\n2,2\n3,3\n4,4\n5,5\n";
    for (option, text, message) in [
        ("--anchors", "0,1\n0,2\n", "f:2: vertex '0' of graph A is in two pairs"),
        ("--anchors", "0,1\n2,1\n", "f:2: vertex '1' of graph B is in two pairs"),
        ("--anchors", "0,1\n7,2\n", "f:2: graph A has no vertex '7'"),
        ("--anchors", "0,9\n", "f:1: graph B has no vertex '9'"),
        ("--anchors", "0\n", "f:1: 1 fields"),
        ("--start-match", "0,1\n2,1\n", "f:2: vertex '1' of graph B is in two pairs"),
        ("--start-match", "0,9\n", "f:1: graph B has no vertex '9'"),
        ("--truth", "0,0\n1,1\n2,2\n3,3\n4,4\n5,4\n", "f:6: vertex '4' of graph B is in two pairs"),
        ("--truth", "# nothing\n", "f: there is no pair of vertices in the file"),
        ("--similarity", "0,0,much\n", "f:1: similarity 'much' is not a number"),
        ("--similarity", "0,0,1\n0,8,1\n", "f:2: graph B has no vertex '8'"),
        ("--similarity", "0,0,1e308\n", "f: with its weight of -2e0: linear term: entry (0, 0) is -inf"),
        ("--start", "1,0\n0,1\n", "f: start: expected 6 x 6, got 2 x 2"),
        ("--start", "1,0\n0\n", "f:2: "),
    ] {
        let room = Room::with(&[("a.edges", HEXAGON), ("b.edges", TRIANGLES), ("f", text)]);
        room.refused(&format!("match a.edges b.edges {option} f {OUTPUTS}"), message);
        room.refused(&format!("match a.edges b.edges {option} nowhere {OUTPUTS}"), "nowhere: No such file");
    }
    let rows = "0.5,0,0,0,0,0\n".repeat(6);
    let room = Room::with(&[("a.edges", HEXAGON), ("b.edges", TRIANGLES), ("x.csv", &rows), ("t.csv", identity)]);
    room.refused("match a.edges b.edges --start x.csv", "x.csv: start: is not doubly stochastic");
    room.refused("match a.edges b.edges --start x.csv --truth t.csv --anchors t.csv", "x.csv: start: ");
}

#[test]
fn outputs_that_cannot_be_written_are_refused_before_the_search() {
    let room = Room::with_regular_graphs();
    std::fs::create_dir(room.0.path().join("folder")).unwrap();
    for option in ["--output", "--report", "--trace", "--plot"] {
        room.refused(&format!("match a.edges b.edges {option} nowhere/out"), "nowhere/out: ");
        room.refused(&format!("match a.edges b.edges {option} folder"), "folder: is a folder");
        room.refused(&format!("match a.edges b.edges {option} b.edges"), "b.edges: is an input");
    }
    room.refused("match a.edges b.edges --output out --report out", "out: is given for two outputs");
    room.refused("match - - --output out", "<stdin>: ");
    room.refused("generate er --n 5 --rho 0.5 --output-dir a.edges", "a.edges: ");
    room.refused("experiment --output-dir folder/../a.edges", "folder/../a.edges: ");
    room.refused("experiment --output-dir .", ".: ");
}

#[test]
fn qap_files_that_cannot_be_read_are_refused_with_file_line_and_cause() {
    for (problem, solution, message) in [
        ("3\n0 5 2\n5 0 3\n", "", "p.dat:3: "),
        ("", "", "p.dat: the file is empty"),
        ("0\n", "", "p.dat:1: "),
        ("2\n0 1\n1 0\n0 x\n1 0\n", "", "p.dat:4: entry 'x' is not a number"),
        ("2\n0 1\n1 0\n0 1\n1 nan\n", "", "p.dat:5: entry 'nan' is not finite"),
        ("2\n0 1e99\n1e99 0\n0 1\n1 0\n", QAP_SOLUTION, "p.dat: the weight 1e99"),
        (QAP, "4 10\n1 2 3 4\n", "s.sln:1: "),
        (QAP, "3 10\n1 2 2\n", "s.sln:2: "),
        (QAP, "3 10\n1 2\n", "s.sln:2: "),
    ] {
        let room = Room::with(&[("p.dat", problem), ("s.sln", solution)]);
        room.refused(&format!("qap p.dat --solution s.sln {OUTPUTS}"), message);
    }
}

#[test]
fn a_misspelt_key_is_named_with_file_and_line() {
    let room = Room::with(&[("e.toml", "output_dir = \"out\"\ntrails = 3\n")]);
    room.refused("experiment e.toml", "e.toml:2: unknown field `trails`");
    room.refused("experiment nowhere.toml", "nowhere.toml: No such file");
    let room = Room::with(&[("e.toml", &SMALL_EXPERIMENT.replace("restarts", "restart"))]);
    room.refused("experiment e.toml", "e.toml:10: unknown field `restart`");
    let room = Room::with(&[("e.toml", &SMALL_EXPERIMENT.replace("\"faq\"", "\"fax\""))]);
    room.refused("experiment e.toml", "e.toml:4: unknown variant `fax`");
    let room = Room::with(&[("e.toml", "trials = \n")]);
    room.refused("experiment e.toml", "e.toml:1: ");
}

#[test]
fn usage_errors_exit_with_code_2() {
    let room = Room::with_regular_graphs();
    for arguments in [
        "match a.edges",
        "match a.edges b.edges --method magic",
        "match a.edges b.edges --seed 1",
        "match a.edges b.edges --time-limit nan",
        "match a.edges b.edges --time-limit 1e300",
        "match a.edges b.edges --threads 0",
        "match a.edges b.edges --similarity-weight inf",
        "match a.edges b.edges --layer a.edges",
        "generate er --rho 0.5",
        "generate copy a.edges --added 1e300 --output-dir .",
        "--no-such-option",
    ] {
        let output = room.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}");
        assert!(output.stderr.starts_with(b"error: "), "{arguments}");
    }
    room.refused("generate er --n 5 --rho 1.5 --output-dir .", "rho: is 1.5");
    room.refused("generate gaussian --n 10000000 --rho 1 --output-dir .", "n: the graphs need ");
    room.refused("generate er --n 0 --rho 0.5 --output-dir .", "n: ");
}

#[test]
fn starts_that_do_not_suit_the_problem_are_refused() {
    let room = Room::with(&[("a.edges", "0 1\n1 2\n"), ("w.edges", "0 1 1\n1 2 3\n"), ("p.dat", QAP)]);
    room.refused("match a.edges a.edges --directed --start subtree", "graphs: A is directed");
    room.refused("match a.edges w.edges --start subtree", "graphs: B has edges of different weights");
    room.refused("qap p.dat --start walks", "start: walks compares graphs");
    room.refused("match a.edges a.edges --start nowhere", "nowhere: No such file");
}
