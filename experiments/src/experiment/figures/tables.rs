//! Figures of tables that other programs wrote: published and measured accuracy, real graphs.

use crate::experiment::canvas::Marker;
use crate::experiment::chart::{BLUE, GREEN, GREY, Look, ORANGE, PURPLE, SKY, VERMILION};
use crate::experiment::interval::{bootstrap_interval, mean};
use crate::experiment::lines::{Arrangement, LinePanel, Lines, Scale, Series};
use crate::experiment::read_rows;
use birkhoff::error::Result;
use plotters::prelude::BLACK;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Looks that differ in colour, dashes and marker, for lines without a meaning of their own.
pub(super) const LOOKS: [Look; 6] = [
    Look { color: VERMILION, width: 3.2, dashes: &[], marker: Marker::Circle },
    Look { color: BLUE, width: 2.0, dashes: &[14.0, 4.0], marker: Marker::Diamond },
    Look { color: GREEN, width: 2.0, dashes: &[2.5, 3.5], marker: Marker::Triangle },
    Look { color: SKY, width: 2.0, dashes: &[9.0, 5.0], marker: Marker::Square },
    Look { color: ORANGE, width: 2.0, dashes: &[9.0, 3.0, 2.5, 3.0], marker: Marker::TriangleDown },
    Look { color: PURPLE, width: 2.0, dashes: &[5.0, 3.0], marker: Marker::Cross },
];

/// Of the bootstrap.
const RNG_SEED: u64 = 1;

#[derive(Deserialize)]
struct Published {
    model: String,
    density: f64,
    noise: f64,
    method: String,
    right: f64,
}

#[derive(Deserialize)]
struct Recovered {
    model: String,
    n: usize,
    density: f64,
    noise: f64,
    start: String,
    effort: String,
    right: f64,
}

impl Recovered {
    fn is_of(&self, model: &str, n: usize, density: f64) -> bool {
        self.model == model && self.n == n && self.density == density
    }
}

/// Mean and interval of the share right, by noise.
fn by_noise<'a>(rows: impl Iterator<Item = &'a Recovered>) -> Vec<((f64, f64), f64, f64)> {
    let mut by_noise: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for row in rows {
        by_noise.entry(row.noise.to_bits()).or_default().push(row.right);
    }
    let point = |(noise, right): (u64, Vec<f64>)| {
        let (low, high) = bootstrap_interval(&right, RNG_SEED)?;
        Some(((f64::from_bits(noise), mean(&right)?), low, high))
    };
    by_noise.into_iter().filter_map(point).collect()
}

const NOISE: &str = "noise: share of A's edges that B lacks";

/// Recovery against noise by effort, and what Lelarge published of his benchmark.
pub(super) fn frontier(results: &Path) -> Result<Lines> {
    let published: Vec<Published> = read_rows(&results.join("lelarge/published.csv"))?;
    let measured: Vec<Recovered> = read_rows(&results.join("frontier/trials.csv"))?;
    let panel = |(title, x_label): (&str, &str), model: &str, n: usize, density: f64| {
        let of_his = |method: &'static str, look: Look| {
            let rows = published.iter().filter(|row| (row.model.as_str(), row.density) == (model, density));
            let points = rows.filter(|row| row.method == method).map(|row| (row.noise, row.right));
            Series::exact(format!("{method}, published"), look, points)
        };
        let ours = |(effort, look): (&'static str, Look)| {
            let rows = measured.iter().filter(|row| row.is_of(model, n, density) && row.effort == effort);
            Series::of(format!("birkhoff, {effort}"), look, by_noise(rows))
        };
        let efforts = [("quick", LOOKS[3]), ("default", LOOKS[0]), ("thorough", LOOKS[4])];
        let his = [("relaxation then FAQ", LOOKS[1]), ("trained GNN chain", LOOKS[2])];
        let his = his.into_iter().map(|(method, look)| of_his(method, look));
        LinePanel {
            title: title.into(),
            x_label: x_label.into(),
            y_label: "share of vertices right".into(),
            x_names: vec![],
            y: Some((-0.02, 1.03)),
            scale: Scale::Linear,
            series: his.chain(efforts.into_iter().map(ours)).filter(|series| !series.points.is_empty()).collect(),
        }
    };
    Ok(Lines {
        title: "Recovery where others fail: the benchmark of Lelarge (arXiv 2510.03086), and dense graphs".into(),
        captions: vec![
            "Published: his numbers, which we have not run; the model is our reading of his. Ours: means of 10 or 20 instances, bars: 95 % bootstrap intervals.".into(),
            "Default: at most four paths. Thorough: at most 300 to 600 s of one core, 60 s at degree 80 and noise 0.35 (results/frontier/README.md).".into(),
        ],
        arrangement: Arrangement::Rows,
        panels: vec![
            panel(("n = 500, mean degree 4", NOISE), "sparse", 500, 4.0),
            panel(("n = 500, mean degree 80", NOISE), "sparse", 500, 80.0),
            panel(("n = 500, regular of degree 10", NOISE), "regular", 500, 10.0),
            panel(("n = 300, p = 1/2", "correlation of the edges"), "dense", 300, 0.5),
        ],
        height: 320.0,
    })
}

/// What each start brings, one path each.
pub(super) fn starts(results: &Path) -> Result<Lines> {
    let mut rows: Vec<Recovered> = read_rows(&results.join("frontier/starts.csv"))?;
    rows.extend(read_rows::<Recovered>(&results.join("frontier/trials.csv"))?);
    let panel = |title: &str, model: &str, density: f64| {
        let series = |(name, start, effort, look): (&str, &str, &str, Look)| {
            let of = |row: &&Recovered| row.is_of(model, 500, density) && row.start == start && row.effort == effort;
            Series::of(name, look, by_noise(rows.iter().filter(of)))
        };
        let suited = match model {
            "regular" => "walks",
            _ if density < 10.0 => "subtree",
            _ => "relaxed",
        };
        let kinds = [
            ("relaxation, one path", "relaxed", "quick", LOOKS[1]),
            ("walks, one path", "walks", "quick", LOOKS[2]),
            ("subtree ratios, one path", "subtree", "quick", LOOKS[4]),
            ("the suited start, default effort", suited, "default", LOOKS[0]),
        ];
        LinePanel {
            title: title.into(),
            x_label: NOISE.into(),
            y_label: "share of vertices right".into(),
            x_names: vec![],
            y: Some((-0.02, 1.03)),
            scale: Scale::Linear,
            series: kinds.into_iter().map(series).filter(|series| !series.points.is_empty()).collect(),
        }
    };
    Ok(Lines {
        title: "What a start brings: n = 500".into(),
        captions: vec![
            "Means of 10 or 20 instances, the same for all starts; bars: 95 % bootstrap intervals.".into(),
            "The relaxation is blind to regular graphs; walks see their short cycles. Subtree ratios see whole neighbourhoods, and are for sparse graphs.".into(),
        ],
        arrangement: Arrangement::Rows,
        panels: vec![
            panel("mean degree 4", "sparse", 4.0),
            panel("regular of degree 10", "regular", 10.0),
            panel("mean degree 80", "sparse", 80.0),
        ],
        height: 320.0,
    })
}

#[derive(Deserialize)]
struct Pair {
    pair: String,
    edges: f64,
    truth_edges: f64,
    quick_edges: f64,
    default_edges: f64,
}

#[derive(Deserialize)]
struct Solve {
    instance: String,
    contestant: String,
    edge_correctness: Option<f64>,
}

/// Edges kept on real pairs, by our methods and by the peers.
pub(super) fn real_graphs(results: &Path) -> Result<Lines> {
    let pairs: Vec<Pair> = read_rows(&results.join("real_graphs/pairs.csv"))?;
    let solves: Vec<Solve> = read_rows(&results.join("peers/pairs/peers.csv"))?;
    let ours = |of: fn(&Pair) -> f64| -> Vec<(f64, f64)> {
        pairs.iter().enumerate().map(|(place, pair)| (place as f64, of(pair) / pair.edges)).collect()
    };
    let by = |contestant: &str| -> Vec<(f64, f64)> {
        let found = |(place, pair): (usize, &Pair)| {
            let of = |solve: &&Solve| solve.instance == pair.pair && solve.contestant == contestant;
            Some((place as f64, solves.iter().find(of)?.edge_correctness?))
        };
        pairs.iter().enumerate().filter_map(found).collect()
    };
    let faq = Look { color: GREY, width: 1.6, dashes: &[3.0, 2.0], marker: Marker::Circle };
    let truth = Look { color: BLACK, width: 1.6, dashes: &[], marker: Marker::Plus };
    let mut series = [
        Series::exact("hidden correspondence", truth, ours(|pair| pair.truth_edges)),
        Series::exact("birkhoff, default effort", LOOKS[0], ours(|pair| pair.default_edges)),
        Series::exact("birkhoff, quick", LOOKS[4], ours(|pair| pair.quick_edges)),
        Series::exact("birkhoff, relaxation", LOOKS[3], by("birkhoff relaxation")),
        Series::exact("birkhoff, FAQ", faq, by("birkhoff faq")),
        Series::exact("SciPy relaxation then FAQ", LOOKS[1], by("scipy relaxation (100 steps), faq")),
        Series::exact("SciPy FAQ", LOOKS[2], by("scipy faq")),
        Series::exact("graspologic FAQ", LOOKS[5], by("graspologic faq, sparse matrices")),
    ];
    // Side by side where they agree, and not joined: pairs have no order.
    let shift = |index: usize| 0.1 * (index as f64 - 3.5);
    for (index, series) in series.iter_mut().enumerate() {
        series.joined = false;
        series.points.iter_mut().for_each(|point| point.0.0 += shift(index));
    }
    let half = pairs.len().div_ceil(2);
    let panel = |title: &str, from: usize, to: usize| {
        let within = |x: f64| from as f64 - 0.5 <= x && x < to as f64 - 0.5;
        let shown = series.iter().map(|series| Series {
            name: series.name.clone(),
            look: series.look,
            curve: vec![],
            points: series.points.iter().copied().filter(|point| within(point.0.0)).collect(),
            joined: false,
        });
        LinePanel {
            title: title.to_string(),
            x_label: "pair (after the dash: per cent of edges that differ; highschool: per cent kept)".into(),
            y_label: "share of A's edges kept".into(),
            x_names: (from..to).map(|place| (place as f64, pairs[place].pair.clone())).collect(),
            y: Some((0.3, 1.03)),
            scale: Scale::Linear,
            series: shown.collect(),
        }
    };
    Ok(Lines {
        title: "Real graphs: edges kept".into(),
        captions: vec![
            "One run each, no interval: all methods are deterministic. Further methods: results/peers/pairs/table.md."
                .into(),
        ],
        arrangement: Arrangement::Stacked,
        panels: vec![panel("First half", 0, half), panel("Second half", half, pairs.len())],
        height: 260.0,
    })
}
