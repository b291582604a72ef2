//! Measures how the sparse search grows with n: `growth [N…]`, 10,000 to 200,000 unless said. Each pair is an
//! Erdős–Rényi graph of mean degree 10 and a copy without 5 % of its edges, and has a process of its own, so that its
//! peak of memory is its own. Rows go to standard output; the exponent of seconds in n, and bytes a vertex, to standard
//! error.

use birkhoff::instance::{Instance, noisy_copy, noisy_erdos_renyi, rng};
use birkhoff::score::{EdgeScore, right_vertices};
use birkhoff::solver::Limits;
use birkhoff::sparse::{Layers, Options, search};
use birkhoff::{Permutation, error::Result};
use cpu_time::ProcessTime;
use std::process::Command;

const SIZES: [usize; 5] = [10_000, 20_000, 50_000, 100_000, 200_000];
const DEGREE: f64 = 10.0;
const REMOVED: f64 = 0.05;
/// As `recover` does from 2000 vertices on.
const HOLD_OUT: f64 = 0.02;
const HEADER: &str = "n,edges,truth_edges,kept_edges,right,cpu_s,peak_mb";

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, n] = &arguments[..]
        && flag == "--one"
    {
        println!("{}", row(n.parse()?)?);
        return Ok(());
    }
    let sizes = arguments.iter().map(|n| n.parse()).collect::<std::result::Result<Vec<usize>, _>>()?;
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    println!("{HEADER}");
    let mut points = vec![];
    for n in sizes {
        let one = Command::new(std::env::current_exe()?).args(["--one", &n.to_string()]).output()?;
        if !one.status.success() {
            return Err(format!("n = {n}: {}", String::from_utf8_lossy(&one.stderr)).into());
        }
        let row = String::from_utf8(one.stdout)?.trim().to_string();
        println!("{row}");
        let numbers: Vec<f64> = row.split(',').filter_map(|field| field.parse().ok()).collect();
        points.push((n as f64, numbers[5], numbers[6]));
    }
    eprintln!("seconds grow as n^{:.2}", exponent(points.iter().map(|&(n, seconds, _)| (n, seconds))));
    for (n, _, megabytes) in points {
        eprintln!("n = {n}: {:.0} bytes a vertex", megabytes * 1048576.0 / n);
    }
    Ok(())
}

/// One pair, drawn, searched and judged.
fn row(n: usize) -> Result<String> {
    let mut rng = rng(0, 0);
    let graph = noisy_erdos_renyi(n, DEGREE, 0.0, &mut rng)?.a;
    let Instance { a, b, truth } = noisy_copy(&graph, REMOVED, 0.0, &mut rng)?;
    drop(graph);
    let began = ProcessTime::now();
    let layers = Layers::new(vec![(a.clone(), b.clone())], &[])?;
    let answer = search(&layers, &Options::default().with_hold_out(HOLD_OUT), &Limits::default())?;
    let seconds = began.elapsed().as_secs_f64();
    let p = Permutation::completed(&answer.partners, n)?;
    let known: Vec<_> = truth.image().iter().map(|&j| Some(j)).collect();
    let (right, _) = right_vertices(&p, &known);
    let [of_truth, kept] = [&truth, &p].map(|p| EdgeScore::of(&a, &b, p).common);
    let right = right as f64 / n as f64;
    Ok(format!("{n},{},{of_truth},{kept},{right:.4},{seconds:.2},{:.0}", a.edge_count(), peak_megabytes()))
}

/// The slope of the least-squares line through (ln x, ln y).
fn exponent(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let logarithms = points.map(|(x, y)| (x.ln(), y.ln()));
    let count = logarithms.clone().count() as f64;
    let mean = |of: fn((f64, f64)) -> f64| logarithms.clone().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let [over, under] = [|x: f64, y: f64| x * y, |x: f64, _: f64| x * x]
        .map(|of| logarithms.clone().map(|(u, v)| of(u - x, v - y)).sum::<f64>());
    over / under
}

/// The peak of this process' memory.
fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}
