//! Figures of tables that other programs wrote: published and measured accuracy, real graphs, trained networks.

use super::at;
use crate::error::{Error, Result};
use crate::experiment::canvas::Marker;
use crate::experiment::chart::{BLUE, GREEN, GREY, Look, ORANGE, PURPLE, SKY, VERMILION};
use crate::experiment::interval::{bootstrap_interval, mean};
use crate::experiment::lines::{LinePanel, Lines, Series};
use crate::experiment::read_rows;
use plotters::prelude::BLACK;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Looks that differ in colour, dashes and marker, for lines without a meaning of their own.
const LOOKS: [Look; 6] = [
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
    effort: String,
    right: f64,
}

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
            let mut by_noise: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
            for row in measured.iter().filter(|row| row.model == model && row.n == n && row.density == density) {
                if row.effort == effort {
                    by_noise.entry(row.noise.to_bits()).or_default().push(row.right);
                }
            }
            let points = by_noise.into_iter().filter_map(|(noise, right)| {
                let (low, high) = bootstrap_interval(&right, RNG_SEED)?;
                Some(((f64::from_bits(noise), mean(&right)?), low, high))
            });
            Series::of(format!("birkhoff, {effort}"), look, points.collect())
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
            logarithmic: false,
            series: his.chain(efforts.into_iter().map(ours)).filter(|series| !series.points.is_empty()).collect(),
        }
    };
    let noise = "noise: share of A's edges that B lacks";
    Ok(Lines {
        title: "Recovery where others fail: the benchmark of Lelarge (arXiv 2510.03086), and dense graphs".into(),
        captions: vec![
            "Published: his numbers, which we have not run; the model is our reading of his. Ours: means of 10 or 20 instances, bars: 95 % bootstrap intervals.".into(),
            "Default: at most four paths. Thorough: at most 300 to 600 s of one core, 60 s at degree 80 and noise 0.35 (results/frontier/README.md).".into(),
        ],
        columns: 2,
        panels: vec![
            panel(("n = 500, mean degree 4", noise), "sparse", 500, 4.0),
            panel(("n = 500, mean degree 80", noise), "sparse", 500, 80.0),
            panel(("n = 500, regular of degree 10", noise), "regular", 500, 10.0),
            panel(("n = 300, p = 1/2", "correlation of the edges"), "dense", 300, 0.5),
        ],
        width: 660.0,
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
struct Peer {
    case: String,
    instance: String,
    contestant: String,
    edge_correctness: Option<f64>,
}

/// Edges kept on real pairs, by us and by the peers that were measured, less what the truth keeps.
pub(super) fn real_graphs(results: &Path) -> Result<Lines> {
    let pairs: Vec<Pair> = read_rows(&results.join("real_graphs/pairs.csv"))?;
    let mut peers: Vec<Peer> = read_rows(&results.join("peers/answer/peers.csv"))?;
    peers.extend(read_rows::<Peer>(&results.join("peers/faq/peers.csv"))?);
    let ours = |of: fn(&Pair) -> f64| -> Vec<(f64, f64)> {
        pairs.iter().enumerate().map(|(place, pair)| (place as f64, of(pair) / pair.edges)).collect()
    };
    let theirs = |contestant: &str| -> Vec<(f64, f64)> {
        let found = |(place, pair): (usize, &Pair)| {
            let of = |peer: &&Peer| {
                ["answer", "faq"].contains(&peer.case.as_str())
                    && peer.instance == pair.pair
                    && peer.contestant == contestant
            };
            Some((place as f64, peers.iter().find(of)?.edge_correctness?))
        };
        pairs.iter().enumerate().filter_map(found).collect()
    };
    let truth = Look { color: BLACK, width: 1.6, dashes: &[], marker: Marker::Plus };
    let mut series = [
        Series::exact("hidden correspondence", truth, ours(|pair| pair.truth_edges)),
        Series::exact("birkhoff, default effort", LOOKS[0], ours(|pair| pair.default_edges)),
        Series::exact("birkhoff, quick", LOOKS[4], ours(|pair| pair.quick_edges)),
        Series::exact("SciPy relaxation then FAQ", LOOKS[1], theirs("scipy relaxation (100 steps), faq")),
        Series::exact("SciPy FAQ", LOOKS[2], theirs("scipy faq")),
        Series::exact("graspologic FAQ", LOOKS[5], theirs("graspologic, dense matrices")),
    ];
    // Side by side where they agree, and not joined: pairs have no order.
    let shift = |index: usize| 0.12 * (index as f64 - 2.5);
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
            logarithmic: false,
            series: shown.collect(),
        }
    };
    Ok(Lines {
        title: "Real graphs: edges kept".into(),
        captions: vec![
            "One run each, no interval: all methods are deterministic. Peers where results/peers has them: netscience-10, netscience-20, celegans-10, yeast-25, arenas-10.".into(),
        ],
        columns: 1,
        panels: vec![panel("First half", 0, half), panel("Second half", half, pairs.len())],
        width: 1180.0,
        height: 260.0,
    })
}

const KINDS: [&str; 5] = ["manual", "auto", "relaxed", "random", "none"];
const RUNS: [usize; 3] = [1, 2, 3];

fn epochs(results: &Path, run: &str) -> Result<Vec<BTreeMap<String, String>>> {
    read_rows(&results.join(format!("autoshufflenet/cifar10-learned/{run}/epochs.csv")))
}

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    row.get(column)?.parse().ok()
}

fn spread(x: f64, values: &[f64]) -> Option<((f64, f64), f64, f64)> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    (!values.is_empty()).then_some(((x, mean), low, high))
}

/// Training curves by kind, and accuracy before and after rounding.
pub(super) fn training(results: &Path) -> Result<Lines> {
    let mut loss = Vec::new();
    for (kind, look) in KINDS.into_iter().zip(LOOKS) {
        let mut by_epoch: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        for run in RUNS {
            for (epoch, row) in epochs(results, &format!("{kind}-{run}"))?.iter().enumerate() {
                by_epoch.entry(epoch as u32 + 1).or_default().extend(number(row, "train_loss"));
            }
        }
        let points = by_epoch.iter().filter_map(|(&epoch, values)| spread(f64::from(epoch), values));
        loss.push(Series::of(kind, look, points.collect()));
    }
    let path = results.join("autoshufflenet/cifar10-learned/comparison.csv");
    let runs: Vec<BTreeMap<String, String>> = read_rows(&path)?;
    let accuracy = |column: &str| -> Result<Vec<_>> {
        let of = |(place, kind): (usize, &str)| {
            let rows = runs.iter().filter(|row| row.get("kind").is_some_and(|name| name == kind));
            let values: Vec<f64> = rows.filter_map(|row| number(row, column)).map(|share| 100.0 * share).collect();
            spread(place as f64, &values).ok_or_else(|| Error::file(&path, format!("has no {column} of {kind}")))
        };
        KINDS.into_iter().enumerate().map(of).collect()
    };
    let rounded = |name: &str, look, column, shift: f64| -> Result<Series> {
        let points = accuracy(column)?.into_iter().map(|((x, y), low, high)| ((x + shift, y), low, high)).collect();
        Ok(Series { joined: false, ..Series::of(name, look, points) })
    };
    Ok(Lines {
        title: "ShuffleNet with learned shuffles: a small run on CIFAR-10".into(),
        captions: vec![
            "v2 0.5×, 8,000 training images, 6 epochs, tested on 10,000 images; mean of 3 seeds a kind, bars: smallest to largest.".into(),
            "Far too small a budget to rank the shuffles; chance is 10 %.".into(),
        ],
        columns: 2,
        panels: vec![
            LinePanel {
                title: "Training loss".into(),
                x_label: "epoch".into(),
                y_label: "cross entropy, nats".into(),
                x_names: (1..=6).map(|epoch| (f64::from(epoch), epoch.to_string())).collect(),
                y: None,
                logarithmic: false,
                series: loss,
            },
            LinePanel {
                title: "Accuracy before and after rounding".into(),
                x_label: "kind of shuffle".into(),
                y_label: "test accuracy, %".into(),
                x_names: KINDS.into_iter().enumerate().map(|(place, kind)| (place as f64, kind.to_string())).collect(),
                y: Some((0.0, 50.0)),
                logarithmic: false,
                series: vec![
                    rounded("before rounding", LOOKS[1], "accuracy_before", -0.1)?,
                    rounded("after rounding", LOOKS[0], "accuracy_after", 0.1)?,
                    Series::exact("chance", Look { color: GREY, width: 1.2, dashes: &[6.0, 6.0], marker: Marker::Plus }, [(-0.4, 10.0), (4.4, 10.0)]),
                ],
            },
        ],
        width: 660.0,
        height: 320.0,
    })
}

/// P of every shuffle by epoch, learned and relaxed.
pub(super) fn penalty_by_layer(results: &Path) -> Result<Lines> {
    let panel = |run: &str, title: &str| -> Result<LinePanel> {
        let rows = epochs(results, run)?;
        let layers: Vec<String> = rows.first().map_or(vec![], |row| {
            row.keys().filter_map(|name| name.strip_suffix(".penalty")).map(str::to_string).collect()
        });
        let names = layers.iter().enumerate().map(|(place, layer)| (place as f64, at(layer)));
        let series = rows.iter().zip(LOOKS).enumerate().map(|(epoch, (row, look))| {
            let points = layers.iter().enumerate();
            let points =
                points.filter_map(|(place, layer)| Some((place as f64, number(row, &format!("{layer}.penalty"))?)));
            Series::exact(format!("after epoch {}", epoch + 1), look, points)
        });
        Ok(LinePanel {
            title: title.to_string(),
            x_label: "stage.unit of the shuffle".into(),
            y_label: "penalty P of the matrix".into(),
            x_names: names.collect(),
            y: None,
            logarithmic: false,
            series: series.collect(),
        })
    };
    Ok(Lines {
        title: "How far each shuffle is from a permutation".into(),
        captions: vec![
            "One run each (seed 1) of the small CIFAR-10 comparison. P = 0 at permutations only; below 1.17 (T2) rounding decides nothing.".into(),
        ],
        columns: 1,
        panels: vec![
            panel("auto-1", "auto: the penalty's weight grows; fixed once a theorem certifies it")?,
            panel("relaxed-1", "relaxed: no penalty")?,
        ],
        width: 1180.0,
        height: 240.0,
    })
}
