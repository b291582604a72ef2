//! Measures how fast edge lists are read: `reading EDGES`, as many random edges among a tenth as many vertices, in the
//! three forms that large lists have; or `reading FILE…`. Rows: form, edges, MB, CPU seconds, million edges a second.

use birkhoff::instance::rng;
use birkhoff::io::Reading;
use cpu_time::ProcessTime;
use rand::RngExt;
use std::fmt::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("form,edges,mb,cpu_s,million_a_second");
    if let [edges] = &arguments[..]
        && let Ok(edges) = edges.parse()
    {
        for form in ["plain.edges", "weighted.edges", "table.csv"] {
            measure(Path::new(form), text(form, edges)?.as_bytes())?;
        }
        return Ok(());
    }
    arguments.iter().try_for_each(|path| measure(Path::new(path), &std::fs::read(path)?))
}

fn measure(form: &Path, bytes: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let edges = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let began = ProcessTime::now();
    Reading::new(true).parse(form, bytes)?;
    let seconds = began.elapsed().as_secs_f64();
    let speed = edges as f64 / seconds / 1e6;
    println!("{},{edges},{},{seconds:.2},{speed:.2}", form.display(), bytes.len() / 1_000_000);
    Ok(())
}

/// Lines `4711 23`, `4711 23 1.125`, or below a header `m4711,m23,9`.
fn text(form: &str, edges: usize) -> Result<String, std::fmt::Error> {
    let mut rng = rng(0, 0);
    let n = (edges / 10).max(2);
    let mut text = String::new();
    if form == "table.csv" {
        text += "From,To,Weight\n";
    }
    // The same pair has the same weight, whichever row repeats it.
    for _ in 0..edges {
        let (u, v) = (rng.random_range(0..n), rng.random_range(0..n));
        let weight = (u ^ v) % 50 + 1;
        match form {
            "plain.edges" => writeln!(text, "{u} {v}")?,
            "weighted.edges" => writeln!(text, "{u} {v} {}", weight as f64 / 8.0)?,
            _ => writeln!(text, "m{u},m{v},{weight}")?,
        }
    }
    Ok(text)
}
