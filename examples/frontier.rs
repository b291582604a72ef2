//! A row of docs/frontier.md: random pairs recovered on one thread, each with what its runs found, and the mean.
//!
//! cargo run --release --example frontier -- regular 500 10 0.15 0..20 default
//!
//! Long rows can be drawn in pieces. Two more arguments: the time for each instance in seconds, and the seed of the
//! instances.

use birkhoff::instance::{Instance, correlated_erdos_renyi, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::recovery::{Effort, Settings, Start, recover_from};
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use std::time::{Duration, Instant};

/// Time for each instance and seed of all of them (the trial is the stream), where none are given.
const DEFAULTS: [&str; 2] = ["300", "88"];

const USAGE: &str = "frontier regular|sparse N DEGREE NOISE FIRST..END quick|default|thorough [SECONDS [RNG_SEED]]
frontier dense N P RHO FIRST..END quick|default|thorough [SECONDS [RNG_SEED]]";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.extend(DEFAULTS.iter().skip(arguments.len().saturating_sub(6)).map(ToString::to_string));
    let [model, n, degree, noise, trials, effort, seconds, rng_seed] = &arguments[..] else { return Err(USAGE.into()) };
    let (n, noise, limit): (usize, f64, _) =
        (n.parse()?, noise.parse()?, Duration::try_from_secs_f64(seconds.parse()?)?);
    let rng_seed: u64 = rng_seed.parse()?;
    let (first, end) = trials.split_once("..").ok_or(USAGE)?;
    let effort = Effort::ALL.into_iter().find(|known| known.name() == effort).ok_or(USAGE)?;
    let draw = |trial| -> Result<Instance, Box<dyn std::error::Error>> {
        let rng = &mut rng(rng_seed, trial);
        match model.as_str() {
            "regular" => Ok(noisy_regular(n, degree.parse()?, noise, rng)?),
            "sparse" => Ok(noisy_erdos_renyi(n, degree.parse()?, noise, rng)?),
            "dense" => Ok(correlated_erdos_renyi(n, degree.parse()?, noise, rng)?),
            _ => Err(USAGE.into()),
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut right = vec![];
    for trial in first.parse::<u64>()?..end.parse()? {
        let pair = draw(trial)?;
        right.push(pool.install(|| recovered(trial, &pair, effort, limit))?);
    }
    let count = right.len() as f64;
    let mean = right.iter().sum::<f64>() / count;
    let variance = right.iter().map(|right| (right - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    println!("{}: {mean:.4} ± {:.4} [{count}]", arguments.join(" "), (variance / count).sqrt());
    Ok(())
}

/// The share of the vertices that are right.
fn recovered(trial: u64, pair: &Instance, effort: Effort, limit: Duration) -> birkhoff::Result<f64> {
    let began = Instant::now();
    let objective = GraphMatching::new(pair.a.clone(), pair.b.clone())?;
    let start = match Kind::suited(&pair.a, &pair.b) {
        Some(kind) => Start::structural(kind, &pair.a, &pair.b, &[])?,
        None => Start::relaxed(),
    };
    let limits = Limits { deadline: Some(began + limit), ..Limits::default() };
    let answer = recover_from(&objective, &[start], &Settings { effort, ..Settings::default() }, &limits)?;
    let right = answer.permutation.agreement(&pair.truth);
    let probes = answer.attempts.iter().filter(|run| run.name.starts_with("anchor")).count();
    // The runs that beat all before them.
    let (mut records, mut best) = (vec![], f64::INFINITY);
    for run in &answer.attempts {
        if run.value < best {
            best = run.value;
            records.push(format!("{} {best}", run.name));
        }
    }
    println!(
        "{trial}: {right:.3} right, value {} (truth {}), {:.1} s, {probes} probes: {}",
        answer.optimality.value,
        objective.value_at(&pair.truth),
        began.elapsed().as_secs_f64(),
        records.join(", ")
    );
    Ok(right)
}
