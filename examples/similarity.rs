//! What a structural cost takes: wall-clock seconds on one thread, for a pair of random graphs. Under GNU time it tells
//! the memory as well.
//!
//! /usr/bin/time -v cargo run --release --example similarity -- subtree 5000 4 0.2

use birkhoff::instance::{noisy_erdos_renyi, rng};
use birkhoff::structure::Kind;
use std::time::Instant;

const USAGE: &str = "similarity walks|subtree N DEGREE NOISE";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, n, degree, noise] = &arguments[..] else { return Err(USAGE.into()) };
    let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or(USAGE)?;
    let pair = noisy_erdos_renyi(n.parse()?, degree.parse()?, noise.parse()?, &mut rng(88, 0))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let began = Instant::now();
    let cost = pool.install(|| kind.cost(&pair.a, &pair.b, &[]))?;
    let seconds = began.elapsed().as_secs_f64();
    // The rank of the true partner among all vertices of B, as a share: ½ is chance.
    let n = cost.nrows();
    let rank = |i: usize| {
        let own = cost[(i, pair.truth.apply(i))];
        let row = cost.row(i);
        row.iter().map(|&other| if other < own { 1.0 } else { f64::from(other == own) / 2.0 }).sum::<f64>() / n as f64
    };
    let mean = (0..n).map(rank).sum::<f64>() / n as f64;
    println!("{}: {seconds:.1} s, mean rank of the partner {mean:.4}", arguments.join(" "));
    Ok(())
}
