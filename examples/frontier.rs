//! A row of docs/frontier.md: random pairs recovered on one thread, each with what its runs found, and the mean.
//!
//! cargo run --release --example frontier -- regular 500 10 0.15 20 default

use birkhoff::instance::{Instance, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::recovery::{Effort, Settings, Start, recover_from};
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use std::time::{Duration, Instant};

/// Seed of all instances; the trial is the stream.
const RNG_SEED: u64 = 88;

/// Time for each instance.
const LIMIT: Duration = Duration::from_secs(300);

const USAGE: &str = "frontier regular|sparse N DEGREE NOISE TRIALS quick|default|thorough";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, n, degree, noise, trials, effort] = &arguments[..] else { return Err(USAGE.into()) };
    let (n, noise, trials): (usize, f64, u64) = (n.parse()?, noise.parse()?, trials.parse()?);
    let effort = Effort::ALL.into_iter().find(|known| known.name() == effort).ok_or(USAGE)?;
    let draw = |trial| -> Result<Instance, Box<dyn std::error::Error>> {
        let rng = &mut rng(RNG_SEED, trial);
        match model.as_str() {
            "regular" => Ok(noisy_regular(n, degree.parse()?, noise, rng)?),
            "sparse" => Ok(noisy_erdos_renyi(n, degree.parse()?, noise, rng)?),
            _ => Err(USAGE.into()),
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut right = vec![];
    for trial in 0..trials {
        let pair = draw(trial)?;
        right.push(pool.install(|| recovered(trial, &pair, effort))?);
    }
    let count = right.len() as f64;
    let mean = right.iter().sum::<f64>() / count;
    let variance = right.iter().map(|right| (right - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    println!("{}: {mean:.4} ± {:.4} [{count}]", arguments.join(" "), (variance / count).sqrt());
    Ok(())
}

/// The share of the vertices that are right.
fn recovered(trial: u64, pair: &Instance, effort: Effort) -> birkhoff::Result<f64> {
    let began = Instant::now();
    let objective = GraphMatching::new(pair.a.clone(), pair.b.clone())?;
    let start = match Kind::suited(&pair.a, &pair.b) {
        Some(kind) => Start::tilted(kind.name(), kind.cost(&pair.a, &pair.b, &[])?)?,
        None => Start::relaxed(),
    };
    let limits = Limits { deadline: Some(began + LIMIT), ..Limits::default() };
    let answer = recover_from(&objective, &[start], &Settings { effort, ..Settings::default() }, &limits)?;
    let right = answer.permutation.agreement(&pair.truth);
    let runs: Vec<_> = answer.attempts.iter().map(|run| format!("{} {}", run.name, run.value)).collect();
    println!(
        "{trial}: {right:.3} right, value {} (truth {}), {:.1} s: {}",
        answer.optimality.value,
        objective.value_at(&pair.truth),
        began.elapsed().as_secs_f64(),
        runs.join(", ")
    );
    Ok(right)
}
