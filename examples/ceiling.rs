//! How many vertices anybody can get right: samples of all permutations that explain two graphs as well as the hidden
//! one.
//!
//! Given A and B, a permutation with k common edges has probability ∝ e^(βk), β = ln(p₁₁p₀₀/(p₁₀p₀₁)), the p's those of
//! an edge in both graphs, in neither, in one. The hidden one is a sample of that law, so a Metropolis walk over swaps
//! that begins there stays in it, and the permutation that agrees most with its samples is, in the mean, the best
//! answer. A walk too short to forget where it began shows more than there is.
//!
//! cargo run --release --example ceiling -- 500 4 0.2 20

use birkhoff::instance::{Instance, noisy_erdos_renyi, rng};
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::polytope::round;
use nalgebra::DMatrix;
use rand::RngExt;

/// Seed of all instances, as in the example `frontier`; the trial is the stream.
const RNG_SEED: u64 = 88;

/// Samples of each instance, n²/4 proposed swaps apart.
const SAMPLES: usize = 400;

const USAGE: &str = "ceiling N DEGREE NOISE TRIALS";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [n, degree, noise, trials] = &arguments[..] else { return Err(USAGE.into()) };
    let (n, degree, noise, trials): (usize, f64, f64, u64) =
        (n.parse()?, degree.parse()?, noise.parse()?, trials.parse()?);
    let p = degree / (n as f64 - 1.0);
    let strength = ((1.0 - noise) * (1.0 - p - p * noise) / (p * noise * noise)).ln();
    let mut right = vec![];
    for trial in 0..trials {
        let pair = noisy_erdos_renyi(n, degree, noise, &mut rng(RNG_SEED, trial))?;
        right.push(most_agreeing(&pair, strength, trial)?);
        println!("{trial}: {:.4}", right[trial as usize]);
    }
    let count = right.len() as f64;
    let mean = right.iter().sum::<f64>() / count;
    let variance = right.iter().map(|right| (right - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    println!("{}: {mean:.4} ± {:.4} [{count}]", arguments.join(" "), (variance / count).sqrt());
    Ok(())
}

/// The share of the vertices that the permutation agreeing most with the samples has right.
fn most_agreeing(pair: &Instance, strength: f64, trial: u64) -> birkhoff::Result<f64> {
    let n = pair.truth.len();
    let objective = GraphMatching::new(pair.a.clone(), pair.b.clone())?;
    let mut rng = rng(trial, 5);
    let mut p = pair.truth.clone();
    let mut met = DMatrix::zeros(n, n);
    for _ in 0..SAMPLES {
        for _ in 0..n * n / 4 {
            let (i, k) = (rng.random_range(0..n), rng.random_range(0..n));
            if i == k {
                continue;
            }
            // A common edge less costs 4: once in A and once in B, in both directions.
            let change = objective.swap_change(&p, i, k);
            if change <= 0.0 || rng.random::<f64>() < (-strength * change / 4.0).exp() {
                p.swap(i, k);
            }
        }
        (0..n).for_each(|i| met[(i, p.apply(i))] += 1.0);
    }
    Ok(round(&met)?.agreement(&pair.truth))
}
