//! Are the bounds T0–T4 ever violated, and how sharp are they? Random matrices of all kinds, and a search.

pub mod ascent;
pub mod bounds;
pub mod config;
pub(super) mod figure;
mod manifest;
pub mod sample;
pub mod trials;

pub use ascent::Highest;
pub use config::Experiment;
pub use trials::{Bin, Cell};

use super::{RunDirectory, read_rows, write_rows};
use birkhoff::certificate::DISTANCE_FACTOR;
use birkhoff::error::Result;
use birkhoff::io::write_matrix;
use birkhoff::solver::Limits;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn measure(
    experiment: &Experiment,
    directory: &RunDirectory,
    interrupt: &Arc<AtomicBool>,
    quiet: bool,
) -> Result<Option<String>> {
    let limits = Limits::default().with_interrupt(interrupt.clone());
    let judged = trials::run(experiment, directory, &limits, quiet)?;
    let searched = ascent::search(experiment, directory, &limits, quiet)?;
    let (Some((cells, bins)), Some((highest, worst))) = (judged, searched) else { return Ok(None) };
    write_rows(&directory.path("trials.csv"), &cells)?;
    write_rows(&directory.path("histogram.csv"), &bins)?;
    write_rows(&directory.path("ascent.csv"), &highest)?;
    for (target, x) in ["distance", "penalty", "approximate"].iter().zip(&worst) {
        write_matrix(&directory.path(&format!("worst-{target}.csv")), x)?;
    }

    let cells: Vec<Cell> = read_rows(&directory.path("trials.csv"))?;
    let bins: Vec<Bin> = read_rows(&directory.path("histogram.csv"))?;
    let highest: Vec<Highest> = read_rows(&directory.path("ascent.csv"))?;
    for extension in ["svg", "png"] {
        let path = |name: &str| directory.path(&format!("{name}.{extension}"));
        figure::draw_bounds(&path("bounds"), &cells, &bins)?;
        figure::draw_constants(&path("constants"), &cells, &highest)?;
    }
    Ok(Some(table(experiment, &cells, &highest)))
}

/// The table on standard output.
fn table(experiment: &Experiment, cells: &[Cell], highest: &[Highest]) -> String {
    let mut text = String::new();
    let samples: usize = cells.iter().map(|cell| cell.samples).sum();
    let judged: usize = highest.iter().map(|row| row.evaluations).sum();
    let violations = cells.iter().map(|cell| cell.violations).sum::<usize>()
        + highest.iter().map(|row| row.violations).sum::<usize>();
    let sizes = |of: &dyn Fn(usize, usize) -> usize| experiment.sizes.iter().copied().reduce(of).unwrap_or(0);
    let (least, most) = (sizes(&|a, b| a.min(b)), sizes(&|a, b| a.max(b)));
    let _ = writeln!(
        text,
        "{samples} random matrices, n = {least} to {most}, and {judged} more in the search: {violations} violations of T0-T4\n"
    );
    let _ = writeln!(
        text,
        "{:<13}{:>9}{:>11}{:>11}{:>17}{:>12}{:>10}{:>11}{:>11}{:>9}",
        "kind", "matrices", "within T2", "within T3", "distance/P", "within T2", "T3", "Lipschitz", "curvature", "T4"
    );
    for kind in sample::Kind::ALL {
        let of = || cells.iter().filter(move |cell| cell.kind == kind);
        let largest = |field: fn(&Cell) -> f64| of().map(field).fold(0.0, f64::max);
        let sum = |field: fn(&Cell) -> usize| of().map(field).sum::<usize>();
        let smallest = of().filter_map(|cell| cell.smallest_ratio).fold(f64::INFINITY, f64::min);
        let ratio = match kind {
            sample::Kind::Approximate => "-".to_string(),
            _ => format!("{smallest:.4}-{:.5}", largest(|cell| cell.largest_ratio)),
        };
        let _ = writeln!(
            text,
            "{:<13}{:>9}{:>11}{:>11}{:>17}{:>12.5}{:>10.4}{:>11.4}{:>11.4}{:>9.4}",
            kind.name(),
            sum(|cell| cell.samples),
            sum(|cell| cell.within_t2),
            sum(|cell| cell.within_t3),
            ratio,
            largest(|cell| cell.largest_t2_ratio),
            largest(|cell| cell.largest_t3_ratio),
            largest(|cell| cell.largest_lipschitz_ratio),
            largest(|cell| cell.largest_curvature_ratio),
            largest(|cell| cell.largest_t4_ratio),
        );
    }
    let _ = writeln!(
        text,
        "{:<13}{:>9}{:>11}{:>11}{:>17}{:>12.5}{:>10}{:>11}{:>11}{:>9.4}\n",
        "proved",
        "",
        "",
        "",
        format!("1-{DISTANCE_FACTOR:.5}"),
        DISTANCE_FACTOR,
        "1",
        "1",
        "1",
        DISTANCE_FACTOR
    );
    let _ = writeln!(
        text,
        "Search by ascent, {} starts of {} moves each:",
        experiment.ascent.starts, experiment.ascent.moves
    );
    for target in ascent::Target::ALL {
        let rows = highest.iter().filter(|row| row.target == target);
        if let Some(top) = rows.max_by(|a, b| a.ratio.total_cmp(&b.ratio)) {
            let name = match target {
                ascent::Target::Distance => "distance/P",
                ascent::Target::Penalty => "P/distance",
                ascent::Target::Approximate => "T3",
            };
            let _ = writeln!(
                text,
                "  largest {name:<12}{:.7} at n = {}; proved: at most {:.7}",
                top.ratio, top.n, top.bound
            );
        }
    }
    let _ = writeln!(text, "Results: {}", experiment.output_dir.display());
    text
}
