//! Checkpoints that were written for something else, or damaged: an error, and nothing is computed from them.

use argmin::core::Executor;
use birkhoff::Graph;
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::Face;
use birkhoff::solver::{FrankWolfe, Iterate, Stage};
use nalgebra::DMatrix;

fn matching(n: usize) -> GraphMatching {
    let path = || Graph::undirected(n, (1..n).map(|i| (i - 1, i, i as f64))).unwrap();
    GraphMatching::new(path(), path()).unwrap()
}

fn stages() -> Vec<Stage> {
    vec![Stage { weight: 0.5, max_steps: 4, gap_tolerance: 0.0 }]
}

/// A run of `n` vertices after one step, as a checkpoint has it.
fn after_a_step(n: usize) -> Iterate {
    let (f, face) = (matching(n), Face::new(n, &[]).unwrap());
    let solver = FrankWolfe::new(Penalty::default(), stages(), face);
    let run = Executor::new(&f as &dyn Objective, solver).configure(|state: Iterate| state.max_iterations(1));
    run.ctrlc(false).timer(false).run().unwrap().state.max_iterations(u64::MAX)
}

#[test]
fn sides_whose_product_overflows_are_no_matrix() {
    let mut state = after_a_step(2);
    // JSON has no infinity.
    state.lower_bound = 0.0;
    let written = serde_json::to_value(state).unwrap();
    assert_eq!((&written["x"][1], &written["x"][2]), (&serde_json::json!(2), &serde_json::json!(2)));
    let read = |key: &str, matrix: serde_json::Value| {
        let mut changed = written.clone();
        changed[key] = matrix;
        serde_json::from_value::<Iterate>(changed).map_err(|error| error.to_string())
    };
    assert_eq!(read("x", serde_json::json!([[1.0, 2.0], 1, 2])).unwrap().x, DMatrix::from_row_slice(1, 2, &[1.0, 2.0]));
    for key in ["x", "gradient"] {
        for (entries, rows, columns) in [(0, 1u64 << 32, 1u64 << 32), (2, 2, 2), (2, u64::MAX, 2)] {
            let message = read(key, serde_json::json!([vec![0.5; entries], rows, columns])).unwrap_err();
            assert!(message.contains(&format!("{entries} entries in a matrix of {rows} x {columns}")), "{message}");
        }
    }
}

#[test]
fn a_face_that_contradicts_itself_is_refused() {
    let face = Face::new(3, &[(0, 2)]).unwrap();
    let written = serde_json::to_value(&face).unwrap();
    assert_eq!(serde_json::from_value::<Face>(written.clone()).unwrap(), face);
    for (key, value) in [
        ("n", serde_json::json!(u64::MAX)),
        ("anchors", serde_json::json!([[2, 7]])),
        ("anchors", serde_json::json!([[2, 0], [2, 1]])),
    ] {
        let mut changed = written.clone();
        changed[key] = value;
        let message = serde_json::from_value::<Face>(changed).unwrap_err().to_string();
        assert!(message.starts_with(key), "{key}: {message}");
    }
}
