//! Checkpoints: a run goes on from its own to the same bits; from one that was written for something else, or is
//! damaged, nothing is computed.

use crate::solvers::{Broken, Quartic, generic};
use argmin::core::checkpointing::{Checkpoint, CheckpointingFrequency};
use argmin::core::{Executor, State, TerminationStatus};
use argmin_checkpointing_file::FileCheckpoint;
use birkhoff::instance::{correlated_erdos_renyi, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::penalty::Penalty;
use birkhoff::polytope::{Face, random_point};
use birkhoff::solver::{FrankWolfe, Iterate, ProjectedGradient, Projection, Stage, StochasticGradient};
use birkhoff::{Error, Graph};
use nalgebra::DMatrix;

#[test]
fn a_checkpoint_resumes_to_the_same_bits() {
    let folder = std::env::temp_dir().join(format!("birkhoff-checkpoint-{}", std::process::id()));
    let directory = folder.to_str().unwrap();
    let (a, b) = generic(12, 30);
    let matching = GraphMatching::new(a.clone(), b.clone()).unwrap();
    let own = Quartic { target: random_point(12, &mut rng(3, 2)), broken: Broken::Nothing };
    let stages: Vec<_> = [0.0, 0.05, 0.2, 1.0]
        .map(|weight| Stage { weight: weight * matching.scale(), max_steps: 120, gap_tolerance: 1e-9 })
        .into();
    // Ties: only the duals of the last assignment tell which of many vertices comes next.
    let ties = correlated_erdos_renyi(12, 0.25, 0.5, &mut rng(3, 2)).unwrap();
    let ties = GraphMatching::new(ties.a, ties.b).unwrap();
    let problems: [(_, &dyn Objective, _); 4] = [
        ("plain", &matching, vec![]),
        ("anchored", &matching, vec![(3, 4)]),
        ("ties", &ties, vec![]),
        ("own", &own, vec![]),
    ];
    for (name, f, anchors) in problems {
        let face = Face::new(12, &anchors).unwrap();
        let solver = || FrankWolfe::new(Penalty::default(), stages.clone(), face.clone());
        let run = |stop: u64, checkpoint: Option<FileCheckpoint>| {
            let start = Iterate::at(face.barycenter()).max_iterations(stop);
            let mut executor = Executor::new(f, solver()).configure(|_| start).ctrlc(false).timer(false);
            if let Some(checkpoint) = checkpoint {
                executor = executor.checkpointing(checkpoint);
            }
            executor.run().unwrap().state
        };
        let whole = run(u64::MAX, None);
        assert!(whole.get_iter() > 125, "{name}: {}", whole.get_iter());
        // Right after the start, within a stage, before and after the fresh gradient of step 100, and in the next
        // stage.
        for stop in [1, 40, 99, 100, 125] {
            let file = format!("{name}-{stop}");
            let checkpoint = FileCheckpoint::new(directory, file.as_str(), CheckpointingFrequency::Always);
            let half = run(stop, Some(checkpoint.clone()));
            assert!(half.get_iter() == stop && half.x != whole.x, "{name}, {stop}");
            // The stored state holds the limit of the first run: raise it, as a user who goes on would.
            let (solver, state): (FrankWolfe, Iterate) = checkpoint.load().unwrap().unwrap();
            let resumed = Executor::new(f, solver).configure(|_| state.max_iterations(u64::MAX));
            let resumed = resumed.ctrlc(false).timer(false).run().unwrap().state;
            assert_eq!(resumed.x, whole.x, "{name}, {stop}");
            assert_eq!(resumed.gradient, whole.gradient, "{name}, {stop}");
            assert_eq!(resumed.value.to_bits(), whole.value.to_bits(), "{name}, {stop}");
            assert_eq!(resumed.lower_bound.to_bits(), whole.lower_bound.to_bits(), "{name}, {stop}");
            assert_eq!((resumed.get_iter(), resumed.lap_calls), (whole.get_iter(), whole.lap_calls), "{name}, {stop}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

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
    assert_eq!(
        read("x", serde_json::json!([[1.0, 2.0], 1, 2])).unwrap().x.into_matrix(),
        DMatrix::from_row_slice(1, 2, &[1.0, 2.0])
    );
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
