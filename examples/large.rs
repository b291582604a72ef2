//! Measures the sparse search: `large RNG_SEED PAIR…`, each pair a folder with a.edges, b.edges and truth.txt.
//! With `TRACE=1` it says on standard error what takes how long.

use birkhoff::Permutation;
use birkhoff::io::{Reading, read_truth};
use birkhoff::score::{EdgeScore, right_vertices};
use birkhoff::solver::{Limits, Progress};
use birkhoff::sparse::{Layers, Options, search};
use cpu_time::ProcessTime;
use std::path::Path;

/// As `recover` does: that share from so many vertices on.
const HOLD_OUT: (f64, usize) = (0.02, 2000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("pair,rng_seed,n,edges_of_truth,edges,right,recall,held_out,chance,steps,cpu_s,peak_mb");
    let mut arguments = std::env::args().skip(1);
    let rng_seed: u64 = arguments.next().ok_or("large RNG_SEED PAIR…")?.parse()?;
    for folder in arguments {
        let folder = Path::new(&folder);
        let read = |name: &str| Reading::default().read(&folder.join(name));
        let (a, b) = (read("a.edges")?.named, read("b.edges")?.named);
        let truth = read_truth(&folder.join("truth.txt"), &a, &b)?;
        let n = a.graph.vertex_count().max(b.graph.vertex_count());
        let (share, fewest) = HOLD_OUT;
        let options = Options::default().with_rng_seed(rng_seed).with_hold_out(if n >= fewest { share } else { 0.0 });
        let began = ProcessTime::now();
        let layers = Layers::new(vec![(a.graph.clone(), b.graph.clone())], &[])?;
        let mut limits = Limits::default();
        if std::env::var_os("TRACE").is_some() {
            limits = limits.with_reporter(move |progress: &Progress| {
                eprintln!("{:8.2} s {:<20} {:.5}", began.elapsed().as_secs_f64(), progress.stage, progress.kept);
            });
        }
        let answer = search(&layers, &options, &limits)?;
        let seconds = began.elapsed().as_secs_f64();
        let share = |p: &Permutation| EdgeScore::of(&a.graph, &b.graph, p).correctness().unwrap_or(1.0);
        let held_out = answer.held_out;
        let p = Permutation::completed(&answer.partners, n)?;
        let (right, known) = right_vertices(&p, &truth);
        println!(
            "{},{rng_seed},{n},{:.4},{:.4},{:.3},{:.3},{:.3},{:.4},{},{seconds:.2},{:.0}",
            folder.display(),
            share(&Permutation::completed(&truth, n)?),
            share(&p),
            right as f64 / known as f64,
            answer.recall,
            held_out.and_then(|test| test.share()).unwrap_or(f64::NAN),
            held_out.map_or(f64::NAN, |test| test.chance),
            answer.steps,
            peak_megabytes()
        );
    }
    Ok(())
}

fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()).unwrap_or(f64::NAN) / 1024.0
}
