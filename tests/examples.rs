//! The examples for users, built and run.

#[path = "../examples/match_two_graphs.rs"]
#[allow(dead_code, reason = "main is the example's own")]
mod match_two_graphs;
#[path = "../examples/own_objective.rs"]
#[allow(dead_code, reason = "main is the example's own")]
mod own_objective;

use std::fs;

#[test]
fn two_graphs_are_matched_from_files_and_without() {
    let report = match_two_graphs::report(&[]).unwrap();
    assert!(report.starts_with("ann ") && report.contains("gus Gus\n") && report.contains("fay Fay\n"), "{report}");
    assert!(report.contains("7 of 7 edges are kept\nproved: "), "{report}");

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let files = [write("a.edges", "u v\nv w\n"), write("b.edges", "y x\nz x\n")];
    let report = match_two_graphs::report(&files).unwrap();
    assert!(report.contains("v x\n") && report.contains("2 of 2 edges"), "{report}");
    assert!(match_two_graphs::report(&files[..1]).is_err());
    let missing = [files[0].clone(), "no such file".to_string()];
    assert!(match_two_graphs::report(&missing).unwrap_err().to_string().contains("no such file"));
}

#[test]
fn an_objective_of_ones_own_finds_what_squares_do_not() {
    let (squares, robust, n) = own_objective::rights(30, 0).unwrap();
    assert_eq!(robust, n);
    assert!(squares < n, "{squares}");
}
