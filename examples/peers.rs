//! Our side of `benches/peers.py`: a worker that reads one job, then solves it once for every line on standard input.
//!
//! `peers JOB`, JOB a JSON object tagged by `kind` (see [`Job`]). It answers in JSON, a line each: first `{"ready": …}`
//! when the data is loaded, then for each line that comes in what the solve took (CPU seconds of all threads, wall
//! seconds; reading files is in neither) and what it found. Generating jobs write files and answer `{"ready": …}` only.

use birkhoff::assignment::AssignmentSolver;
use birkhoff::instance::{Instance, correlated_erdos_renyi, noisy_copy, rng};
use birkhoff::io::{NamedGraph, read_graph, read_qaplib, write_atomically, write_graph, write_match};
use birkhoff::objective::{GraphMatching, Objective, QuadraticAssignment};
use birkhoff::recovery::{Settings, recover, recover_within};
use birkhoff::solver::{Iterate, Limits};
use birkhoff::{Graph, Result};
use cpu_time::ProcessTime;
use nalgebra::DMatrix;
use rand::RngExt;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// What the worker is asked to do.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
enum Job {
    /// Match the graphs of the folder `pair` (`a.edges`, `b.edges`).
    Match { pair: PathBuf, settings: Settings },
    /// Solve the QAPLIB problem `file`.
    Qap { file: PathBuf, settings: Settings },
    /// Solve the n × n assignment problems in `files` (f64, little-endian, row by row), `rounds` times.
    /// If `warm`, each starts from the answer to the one before, and the first file only prepares for the second.
    Assignment { files: Vec<PathBuf>, n: usize, rounds: usize, warm: bool },
    /// Time the steps of a relaxation one by one; the first `skip` are not counted.
    Steps { pair: PathBuf, settings: Settings, skip: usize },
    /// Write a random pair of graphs and its `truth.txt` into the folder `pair`.
    GeneratePair { pair: PathBuf, model: Model, rng_seed: u64 },
    /// Write an n × n matrix of costs: uniform on [0, 1), or integers from 1 to `integers_to`.
    GenerateCosts { file: PathBuf, n: usize, integers_to: Option<u32>, rng_seed: u64 },
    /// Write the gradients that a relaxation on `pair` meets after `skip` steps, one in each of `files`.
    GeneratePath { pair: PathBuf, skip: usize, files: Vec<PathBuf> },
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name", deny_unknown_fields)]
enum Model {
    /// Correlated Erdős–Rényi graphs.
    Correlated { n: usize, p: f64, rho: f64 },
    /// A random graph of mean degree `degree`, and a copy that lost the fraction `removed` of its edges.
    Copy { n: usize, degree: f64, removed: f64 },
}

impl Model {
    fn instance(&self, rng_seed: u64) -> Result<Instance> {
        let mut rng = rng(rng_seed, 0);
        match *self {
            Model::Correlated { n, p, rho } => correlated_erdos_renyi(n, p, rho, &mut rng),
            Model::Copy { n, degree, removed } => {
                let graph = correlated_erdos_renyi(n, degree / (n - 1) as f64, 1.0, &mut rng)?.a;
                noisy_copy(&graph, removed, 0.0, &mut rng)
            }
        }
    }
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let job = std::env::args().nth(1).ok_or("usage: peers JOB")?;
    let mut measure: Box<dyn FnMut() -> Result<Value>> = match serde_json::from_str(&job)? {
        Job::Match { pair, settings } => {
            let (a, b) = read_pair(&pair)?;
            Box::new(move || matching(&a, &b, &settings))
        }
        Job::Qap { file, settings } => {
            let problem = read_qaplib(&file)?;
            let (a, b) = (Graph::from_matrix(&problem.a)?, Graph::from_matrix(&problem.b)?);
            Box::new(move || timed(|| recovered(&QuadraticAssignment::new(a.clone(), b.clone())?, &settings)))
        }
        Job::Assignment { files, n, rounds, warm } => {
            let costs = files.iter().map(|file| read_costs(file, n)).collect::<std::io::Result<Vec<_>>>()?;
            Box::new(move || if warm { warm_assignments(&costs, rounds) } else { cold_assignments(&costs, rounds) })
        }
        Job::Steps { pair, settings, skip } => {
            let (a, b) = read_pair(&pair)?;
            Box::new(move || steps(&a, &b, &settings, skip))
        }
        Job::GeneratePair { pair, model, rng_seed } => {
            write_pair(&pair, model.instance(rng_seed)?)?;
            return answer(&json!({ "ready": true }));
        }
        Job::GenerateCosts { file, n, integers_to, rng_seed } => {
            write_costs(&file, &random_costs(n, integers_to, rng_seed))?;
            return answer(&json!({ "ready": true }));
        }
        Job::GeneratePath { pair, skip, files } => {
            let (a, b) = read_pair(&pair)?;
            for (gradient, file) in path_gradients(a, b, skip, files.len())?.iter().zip(&files) {
                write_costs(file, gradient)?;
            }
            return answer(&json!({ "ready": true }));
        }
    };
    answer(&json!({ "ready": true }))?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let mut result = measure()?;
        result["peak_mib"] = json!(peak_mib());
        answer(&result)?;
    }
    Ok(())
}

fn answer(value: &Value) -> std::result::Result<(), Box<dyn std::error::Error>> {
    println!("{value}");
    Ok(())
}

/// Adds the CPU and wall seconds of `solve` to what it found.
fn timed(solve: impl FnOnce() -> Result<Value>) -> Result<Value> {
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let mut result = solve()?;
    result["cpu_s"] = json!(cpu.elapsed().as_secs_f64());
    result["wall_s"] = json!(wall.elapsed().as_secs_f64());
    Ok(result)
}

/// The largest resident set of this process so far, as Linux tells it.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// From the two graphs to the permutation: what follows from the graphs alone is computed within the time.
fn matching(a: &Graph, b: &Graph, settings: &Settings) -> Result<Value> {
    let (a, b) = (a.clone(), b.clone());
    timed(|| recovered(&GraphMatching::new(a, b)?, settings))
}

fn recovered(objective: &dyn Objective, settings: &Settings) -> Result<Value> {
    let recovery = recover(objective, settings)?;
    Ok(json!({
        "permutation": recovery.permutation.image(),
        "steps": recovery.iterations,
        "lap_calls": recovery.lap_calls,
        "note": format!("{} runs, {} swaps, {:?}", recovery.attempts.len(), recovery.swaps, recovery.termination),
    }))
}

fn cold_assignments(costs: &[DMatrix<f64>], rounds: usize) -> Result<Value> {
    let mut solver = AssignmentSolver::new();
    timed(|| {
        for _ in 0..rounds {
            for cost in costs {
                solver.reset();
                solver.solve(cost)?;
            }
        }
        Ok(json!({ "permutation": solver.columns(), "solves": rounds * costs.len() }))
    })
}

/// One solver goes through the sequence; its answer to the first problem is where the count begins.
fn warm_assignments(costs: &[DMatrix<f64>], rounds: usize) -> Result<Value> {
    let mut prepared = AssignmentSolver::new();
    prepared.solve(&costs[0])?;
    let mut solvers = vec![prepared; rounds];
    timed(|| {
        for solver in &mut solvers {
            for cost in &costs[1..] {
                solver.solve(cost)?;
            }
        }
        Ok(json!({ "permutation": solvers[0].columns(), "solves": rounds * (costs.len() - 1) }))
    })
}

/// The mean time of one Frank-Wolfe step on the convex form, steps up to `skip` left out; set-up apart.
fn steps(a: &Graph, b: &Graph, settings: &Settings, skip: usize) -> Result<Value> {
    let (a, b) = (a.clone(), b.clone());
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let objective = GraphMatching::new(a, b)?;
    let set_up = cpu.elapsed().as_secs_f64();
    let ticks = Arc::new(Mutex::new(Vec::new()));
    let seen = ticks.clone();
    let watcher = move |_: &Iterate| {
        let tick = (cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
        seen.lock().expect("no watcher panics").push(tick);
    };
    let limits = Limits::default().with_watcher(watcher);
    let recovery = recover_within(&objective, settings, &limits)?;
    let ticks = ticks.lock().expect("no watcher panics");
    let (first, last) = (ticks[skip], ticks[ticks.len() - 1]);
    let counted = ticks.len() - 1 - skip;
    Ok(json!({
        "cpu_s": (last.0 - first.0) / counted as f64,
        "wall_s": (last.1 - first.1) / counted as f64,
        "steps": counted,
        "permutation": recovery.permutation.image(),
        "note": format!("mean of {counted} steps; set-up {set_up:.3} s"),
    }))
}

fn read_pair(pair: &Path) -> Result<(Graph, Graph)> {
    let graph = |name: &str| read_graph(&pair.join(name), None, false).map(|named| named.graph);
    Ok((graph("a.edges")?, graph("b.edges")?))
}

fn write_pair(pair: &Path, instance: Instance) -> Result<()> {
    let Instance { a, b, truth } = instance;
    let (a, b) = (NamedGraph::numbered(a), NamedGraph::numbered(b));
    write_graph(&pair.join("a.edges"), &a, None, false)?;
    write_graph(&pair.join("b.edges"), &b, None, false)?;
    let partners = truth.image().iter().enumerate().map(|(i, &j)| (a.names[i].as_str(), b.names[j].as_str()));
    write_match(&pair.join("truth.txt"), partners)
}

fn random_costs(n: usize, integers_to: Option<u32>, rng_seed: u64) -> DMatrix<f64> {
    let mut rng = rng(rng_seed, 0);
    DMatrix::from_fn(n, n, |_, _| match integers_to {
        Some(largest) => f64::from(rng.random_range(1..=largest)),
        None => rng.random::<f64>(),
    })
}

fn path_gradients(a: Graph, b: Graph, skip: usize, count: usize) -> Result<Vec<DMatrix<f64>>> {
    let objective = GraphMatching::new(a, b)?;
    let gradients = Arc::new(Mutex::new(Vec::new()));
    let seen = gradients.clone();
    let watcher = move |iterate: &Iterate| {
        if iterate.iterations() as usize + 1 > skip {
            seen.lock().expect("no watcher panics").push(iterate.gradient.clone());
        }
    };
    let limits = Limits::default().with_watcher(watcher);
    let settings =
        json!({ "method": "relaxation", "relaxation_steps": skip + count, "relaxation_gap": 0.0, "polish": false });
    let settings: Settings = serde_json::from_value(settings).expect("valid settings");
    recover_within(&objective, &settings, &limits)?;
    drop(limits);
    let mut gradients = Arc::try_unwrap(gradients).map_or_else(
        |kept| kept.lock().expect("no watcher panics").clone(),
        |own| own.into_inner().expect("no watcher panics"),
    );
    gradients.truncate(count);
    Ok(gradients)
}

fn read_costs(file: &Path, n: usize) -> std::io::Result<DMatrix<f64>> {
    let bytes = std::fs::read(file)?;
    let costs: Vec<f64> =
        bytes.chunks_exact(8).map(|entry| f64::from_le_bytes(entry.try_into().expect("8 bytes"))).collect();
    if costs.len() != n * n {
        return Err(std::io::Error::other(format!("{}: {} numbers, not {n} x {n}", file.display(), costs.len())));
    }
    Ok(DMatrix::from_row_slice(n, n, &costs))
}

fn write_costs(file: &Path, costs: &DMatrix<f64>) -> Result<()> {
    write_atomically(file, |out| costs.transpose().iter().try_for_each(|entry| out.write_all(&entry.to_le_bytes())))
}
