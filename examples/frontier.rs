//! A row of docs/frontier.md: random pairs recovered on one thread. Standard output gets a CSV line an instance,
//! standard error the mean.
//!
//! cargo run --release --example frontier -- regular 500 10 0.15 0..20 default > row.csv
//!
//! Long rows can be drawn in pieces. Three more arguments: the time for each instance in seconds, the seed of the
//! instances, and where the path starts: at the relaxation, tilted by the structure that `START` names or that suits
//! the graphs.

use birkhoff::instance::{Instance, correlated_erdos_renyi, noisy_erdos_renyi, noisy_regular, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::recovery::{AttemptKind, Effort, Settings, Start, recover_from};
use birkhoff::score::EdgeScore;
use birkhoff::solver::Limits;
use birkhoff::structure::Kind;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Time for each instance, seed of all of them (the trial is the stream) and start, where none are given.
const DEFAULTS: [&str; 3] = ["300", "88", "suited"];

const USAGE: &str =
    "frontier regular|sparse N DEGREE NOISE FIRST..END quick|default|thorough [SECONDS [RNG_SEED [START]]]
frontier dense N P RHO FIRST..END quick|default|thorough [SECONDS [RNG_SEED [START]]]
START: suited|relaxed|walks|subtree";

/// A line of the table: the arguments, and what came of them.
#[derive(Default, Serialize)]
struct Trial<'a> {
    model: &'a str,
    n: usize,
    /// Mean degree, or p.
    density: f64,
    /// Noise, or ρ.
    noise: f64,
    start: String,
    effort: &'a str,
    time_limit: f64,
    rng_seed: u64,
    trial: u64,
    /// Share of the vertices.
    right: f64,
    value: f64,
    truth_value: f64,
    /// Of A.
    edges: usize,
    /// Edges of A that the answer keeps.
    common_edges: usize,
    /// Those that the hidden permutation keeps.
    truth_common_edges: usize,
    seconds: f64,
    runs: usize,
    probes: usize,
    winner: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    arguments.extend(DEFAULTS.iter().skip(arguments.len().saturating_sub(6)).map(ToString::to_string));
    let [model, n, density, noise, trials, effort, seconds, rng_seed, start] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let (n, density, noise): (usize, f64, f64) = (n.parse()?, density.parse()?, noise.parse()?);
    let (time_limit, rng_seed): (f64, u64) = (seconds.parse()?, rng_seed.parse()?);
    let limit = Duration::try_from_secs_f64(time_limit)?;
    let (first, end) = trials.split_once("..").ok_or(USAGE)?;
    let effort = Effort::ALL.into_iter().find(|known| known.name() == effort).ok_or(USAGE)?;
    let draw = |trial| -> Result<Instance, Box<dyn std::error::Error>> {
        let rng = &mut rng(rng_seed, trial);
        match model.as_str() {
            "regular" => Ok(noisy_regular(n, arguments[2].parse()?, noise, rng)?),
            "sparse" => Ok(noisy_erdos_renyi(n, density, noise, rng)?),
            "dense" => Ok(correlated_erdos_renyi(n, density, noise, rng)?),
            _ => Err(USAGE.into()),
        }
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let mut table = csv::Writer::from_writer(std::io::stdout());
    let mut right = vec![];
    for trial in first.parse::<u64>()?..end.parse()? {
        let pair = draw(trial)?;
        let kind = match start.as_str() {
            "suited" => Kind::suited(&pair.a, &pair.b),
            "relaxed" => None,
            name => Some(Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(USAGE)?),
        };
        let row = Trial {
            model,
            n,
            density,
            noise,
            time_limit,
            rng_seed,
            trial,
            ..pool.install(|| recovered(&pair, kind, effort, limit))?
        };
        right.push(row.right);
        table.serialize(row)?;
        table.flush()?;
    }
    let count = right.len() as f64;
    let mean = right.iter().sum::<f64>() / count;
    let variance = right.iter().map(|right| (right - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    eprintln!("{}: {mean:.4} ± {:.4} [{count}]", arguments.join(" "), (variance / count).sqrt());
    Ok(())
}

/// What comes of one pair; the rest of the line is left to the caller.
fn recovered(pair: &Instance, kind: Option<Kind>, effort: Effort, limit: Duration) -> birkhoff::Result<Trial<'static>> {
    let began = Instant::now();
    let start = match kind {
        Some(kind) => Start::structural(kind, &pair.a, &pair.b, &[])?,
        None => Start::relaxed(),
    };
    let objective = GraphMatching::new(pair.a.clone(), pair.b.clone())?;
    let name = start.name.clone();
    let limits = Limits::default().with_deadline(began + limit);
    let answer = recover_from(&objective, &[start], &Settings::default().with_effort(effort), &limits)?;
    let EdgeScore { common, edges_a, .. } = EdgeScore::of(&pair.a, &pair.b, &answer.permutation);
    Ok(Trial {
        start: name,
        effort: effort.name(),
        right: answer.permutation.agreement(&pair.truth),
        value: answer.optimality.value,
        truth_value: objective.value_at(&pair.truth),
        edges: edges_a,
        common_edges: common,
        truth_common_edges: EdgeScore::of(&pair.a, &pair.b, &pair.truth).common,
        seconds: (100.0 * began.elapsed().as_secs_f64()).round() / 100.0,
        runs: answer.attempts.len(),
        probes: answer.attempts.iter().filter(|run| matches!(run.kind, AttemptKind::Probe { .. })).count(),
        winner: answer.attempts[answer.winner].kind.to_string(),
        ..Trial::default()
    })
}
