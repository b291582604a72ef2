//! Checkpoints that were written for something else, or damaged: an error, and nothing is computed from them.

use argmin::core::{Executor, State, TerminationStatus};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::Face;
use birkhoff::solver::{FrankWolfe, Iterate, ProjectedGradient, Projection, Stage, StochasticGradient};
use birkhoff::{Error, Graph};
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
    let mut state = run.ctrlc(false).timer(false).run().unwrap().state.max_iterations(u64::MAX);
    // A checkpoint is written while the run goes on; argmin makes no step from a state that has ended. JSON has no
    // infinity.
    state.lower_bound = state.lower_bound.max(f64::MIN);
    let mut written = serde_json::to_value(state).unwrap();
    written["status"] = serde_json::to_value(TerminationStatus::NotTerminated).unwrap();
    serde_json::from_value(written).unwrap()
}

/// A step of each solver from the state: what it became, or the error.
fn resumed(state: &Iterate) -> Vec<Result<u64, String>> {
    let f = matching(4);
    let (problem, face, penalty) = (&f as &dyn Objective, || Face::new(4, &[]).unwrap(), Penalty::default());
    macro_rules! step {
        ($solver:expr) => {{
            let run = Executor::new(problem, $solver).configure(|_: Iterate| state.clone().max_iterations(2));
            let ended = run.ctrlc(false).timer(false).run().map(|result| result.state.get_iter());
            ended.map_err(|error| error.downcast::<Error>().unwrap().to_string())
        }};
    }
    let batch = |_| Ok(Box::new(matching(4)) as Box<dyn Objective>);
    vec![
        step!(FrankWolfe::new(penalty, stages(), face())),
        step!(ProjectedGradient::new(penalty, stages(), face(), Projection::Scale)),
        step!(StochasticGradient::new(penalty, stages(), 0.1, batch)),
    ]
}

#[test]
fn a_state_of_another_size_or_stage_is_refused_by_every_solver() {
    let all_say = |state: &Iterate, words: &[&str]| {
        for (solver, step) in resumed(state).into_iter().enumerate() {
            let message = step.unwrap_err();
            assert!(words.iter().all(|word| message.contains(word)), "solver {solver}: {message}");
        }
    };
    let fitting = after_a_step(4);
    for (solver, step) in resumed(&fitting).into_iter().enumerate() {
        assert_eq!(step, Ok(2), "solver {solver}");
    }
    all_say(&after_a_step(3), &["expected size 4", "X (3, 3)"]);
    let mut damaged = fitting.clone();
    damaged.gradient = DMatrix::zeros(2, 4);
    all_say(&damaged, &["gradient (2, 4)"]);
    let mut damaged = fitting.clone();
    damaged.stage = 7;
    // argmin asks whether the run is over before it makes a step, and that a run beyond its last stage is.
    assert!(resumed(&damaged).iter().all(|step| *step == Ok(1) || step.as_ref().is_err_and(|e| e.contains("stage 7"))));
    // Only Frank-Wolfe resumes the duals.
    let mut damaged = fitting;
    damaged.last_assignment.as_mut().unwrap().0[2] = f64::NAN;
    assert!(resumed(&damaged)[0].as_ref().unwrap_err().contains("must be finite"));
}

#[test]
fn sides_whose_product_overflows_are_no_matrix() {
    let written = serde_json::to_value(after_a_step(2)).unwrap();
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
