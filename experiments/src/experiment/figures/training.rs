//! Figures of trained networks: curves, accuracy before and after rounding, the penalty of each shuffle, a matrix as it
//! is learned.

use super::heat::{Heat, HeatPanel};
use super::tables::LOOKS;
use crate::experiment::canvas::Marker;
use crate::experiment::chart::{GREY, Look};
use crate::experiment::lines::{Arrangement, LinePanel, Lines, Scale, Series};
use crate::experiment::read_rows;
use birkhoff::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// A comparison of kinds of shuffles.
pub(super) struct Comparison {
    /// What the picture is called.
    pub name: &'static str,
    pub question: &'static str,
    pub caption: &'static str,
    pub command: &'static str,
    /// Of `results/autoshufflenet`.
    folder: &'static str,
    title: &'static str,
    /// Images and epochs.
    budget: &'static str,
    /// Where the accuracy axis ends, per cent.
    top: f64,
    /// Accuracy of a guess, per cent.
    chance: f64,
}

pub(super) const COMPARISONS: [Comparison; 3] = [
    Comparison {
        name: "autoshufflenet",
        question: "Do learned shuffles train, and survive rounding?",
        caption: "AutoShuffleNet, a small run on CIFAR-10: rounding costs the penalized matrices nothing and the relaxed ones everything.",
        command: "autoshufflenet compare --config crates/autoshufflenet/cifar10-learned.toml --kinds manual,auto,relaxed,random,none --seeds 1,2,3",
        folder: "cifar10-learned",
        title: "ShuffleNet with learned shuffles: a small run on CIFAR-10",
        budget: "v2 0.5×, 8,000 training images, 6 epochs",
        top: 50.0,
        chance: 10.0,
    },
    Comparison {
        name: "autoshufflenet-longer",
        question: "Do they after more training?",
        caption: "The same on CIFAR-10 with more than three times the steps, and a shorter soft phase.",
        command: "autoshufflenet compare --config crates/autoshufflenet/cifar10-longer.toml --kinds manual,auto,random,none --seeds 1,2,3",
        folder: "cifar10-longer",
        title: "ShuffleNet with learned shuffles: a longer run on CIFAR-10",
        budget: "v2 0.5×, 16,000 training images, 10 epochs",
        top: 70.0,
        chance: 10.0,
    },
    Comparison {
        name: "autoshufflenet-cifar100",
        question: "Do they with a hundred classes?",
        caption: "The small run on CIFAR-100: 100 classes, hardly trained.",
        command: "autoshufflenet compare --config crates/autoshufflenet/cifar100-learned.toml --kinds manual,auto,relaxed --seeds 1,2,3",
        folder: "cifar100-learned",
        title: "ShuffleNet with learned shuffles: a small run on CIFAR-100",
        budget: "v2 0.5×, 8,000 training images, 8 epochs",
        top: 20.0,
        chance: 1.0,
    },
];

/// A row of a table whose columns depend on the network.
type Row = BTreeMap<String, String>;

const KINDS: [(&str, Look); 5] =
    [("manual", LOOKS[1]), ("auto", LOOKS[0]), ("relaxed", LOOKS[2]), ("random", LOOKS[3]), ("none", LOOKS[4])];

fn number(row: &Row, column: &str) -> Option<f64> {
    row.get(column)?.parse().ok()
}

fn spread(x: f64, values: &[f64]) -> Option<((f64, f64), f64, f64)> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    (!values.is_empty()).then_some(((x, mean), low, high))
}

/// Training curves by kind, and accuracy before and after rounding.
pub(super) fn comparison(results: &Path, about: &Comparison) -> Result<Lines> {
    let folder = results.join("autoshufflenet").join(about.folder);
    let runs: Vec<Row> = read_rows(&folder.join("comparison.csv"))?;
    let of = |kind: &'static str| runs.iter().filter(move |row| row.get("kind").is_some_and(|name| name == kind));
    let shown: Vec<_> = KINDS.into_iter().filter(|(kind, _)| of(kind).next().is_some()).collect();
    let mut loss = Vec::new();
    let mut epochs = 0;
    for &(kind, look) in &shown {
        let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for seed in of(kind).filter_map(|row| row.get("rng_seed")) {
            let rows: Vec<Row> = read_rows(&folder.join(format!("{kind}-{seed}/epochs.csv")))?;
            epochs = rows.len().max(epochs);
            for (epoch, row) in rows.iter().enumerate() {
                by_epoch.entry(epoch + 1).or_default().extend(number(row, "train_loss"));
            }
        }
        let points = by_epoch.iter().filter_map(|(&epoch, values)| spread(epoch as f64, values));
        loss.push(Series::of(kind, look, points.collect()));
    }
    let rounded = |name: &str, look, column: &str, shift: f64| -> Result<Series> {
        let mut points = Vec::new();
        for (place, (kind, _)) in shown.iter().enumerate() {
            let values: Vec<f64> = of(kind).filter_map(|row| number(row, column)).map(|share| 100.0 * share).collect();
            let missing = || Error::file(&folder, format!("has no {column} of {kind}"));
            points.push(spread(place as f64 + shift, &values).ok_or_else(missing)?);
        }
        Ok(Series { joined: false, ..Series::of(name, look, points) })
    };
    let chance = Look { color: GREY, width: 1.2, dashes: &[6.0, 6.0], marker: Marker::Plus };
    let ends = [-0.4, shown.len() as f64 - 0.6].map(|x| (x, about.chance));
    let seeds = shown.iter().map(|(kind, _)| of(kind).count());
    let seeds = match (seeds.clone().min().unwrap_or(0), seeds.max().unwrap_or(0)) {
        (fewest, most) if fewest == most => most.to_string(),
        (fewest, most) => format!("{fewest} or {most}"),
    };
    Ok(Lines {
        title: about.title.into(),
        captions: vec![
            format!(
                "{}, tested on 10,000 images; mean of {seeds} seeds a kind, bars: smallest to largest.",
                about.budget
            ),
            format!("A small budget: these networks are far from trained. Chance is {} %.", about.chance),
        ],
        arrangement: Arrangement::Rows,
        panels: vec![
            LinePanel {
                title: "Training loss".into(),
                x_label: "epoch".into(),
                y_label: "cross entropy, nats".into(),
                x_names: (1..=epochs).map(|epoch| (epoch as f64, epoch.to_string())).collect(),
                y: None,
                scale: Scale::Linear,
                series: loss,
            },
            LinePanel {
                title: "Accuracy before and after rounding".into(),
                x_label: "kind of shuffle".into(),
                y_label: "test accuracy, %".into(),
                x_names: shown.iter().enumerate().map(|(place, (kind, _))| (place as f64, kind.to_string())).collect(),
                y: Some((0.0, about.top)),
                scale: Scale::Linear,
                series: vec![
                    rounded("before rounding", LOOKS[1], "accuracy_before", -0.1)?,
                    rounded("after rounding", LOOKS[0], "accuracy_after", 0.1)?,
                    Series::exact("chance", chance, ends),
                ],
            },
        ],
        height: 320.0,
    })
}

/// P of every shuffle by epoch, learned and relaxed.
pub(super) fn penalty_by_layer(results: &Path) -> Result<Lines> {
    let panel = |run: &str, title: &str| -> Result<LinePanel> {
        let rows: Vec<Row> = read_rows(&results.join(format!("autoshufflenet/cifar10-learned/{run}/epochs.csv")))?;
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
            scale: Scale::Linear,
            series: series.collect(),
        })
    };
    Ok(Lines {
        title: "How far each shuffle is from a permutation".into(),
        captions: vec![
            "One run each (seed 1) of the small CIFAR-10 comparison. P = 0 at permutations only; below 1.17 (T2) rounding decides nothing.".into(),
        ],
        arrangement: Arrangement::Stacked,
        panels: vec![
            panel("auto-1", "auto: the penalty's weight grows; fixed once a theorem certifies it")?,
            panel("relaxed-1", "relaxed: no penalty")?,
        ],
        height: 240.0,
    })
}

/// A short name on an axis: `stage2.0` is 2.0.
fn at(layer: &str) -> String {
    layer.trim_start_matches("stage").to_string()
}

#[derive(Deserialize)]
struct Entry {
    epoch: usize,
    output_channel: usize,
    input_channel: usize,
    entry: f64,
}

#[derive(Deserialize)]
struct Wire {
    shuffle: String,
    output_channel: usize,
    input_channel: usize,
}

/// The shuffle that the traced runs write down.
const TRACED: &str = "stage2.0";

/// Entries below this cannot be seen and are left out.
const LEAST: f64 = 0.02;

/// M of the first shuffle along a run, and the permutation that became of it, in whose order the columns stand.
pub(super) fn learned_matrix(results: &Path, run: &str, title: &str) -> Result<Heat> {
    // The traced run is one of the comparison again, whose other files are there.
    let traced = results.join("autoshufflenet/cifar10-traced").join(run);
    let folder = results.join("autoshufflenet/cifar10-learned").join(run);
    let entries: Vec<Entry> = read_rows(&traced.join("matrices.csv"))?;
    let epochs: Vec<Row> = read_rows(&folder.join("epochs.csv"))?;
    let wires: Vec<Wire> = read_rows(&folder.join("permutations.csv"))?;
    let wires: Vec<&Wire> = wires.iter().filter(|wire| wire.shuffle == TRACED).collect();
    let n = wires.len();
    let mut place = vec![0; n];
    for wire in &wires {
        let column = place.get_mut(wire.input_channel);
        *column.ok_or_else(|| Error::file(&folder, "permutations.csv: no such channel"))? = wire.output_channel;
    }
    let penalty = |row: &Row| number(row, &format!("{TRACED}.penalty")).unwrap_or(0.0);
    let soft = epochs.iter().take_while(|row| penalty(row) > 0.0).count();
    let panel = |epoch: usize| {
        let shown = entries.iter().filter(|entry| entry.epoch == epoch && entry.entry >= LEAST);
        let shown = shown.filter(|entry| entry.input_channel < n);
        let penalty = epoch.checked_sub(1).and_then(|index| epochs.get(index)).map(penalty);
        HeatPanel {
            name: if epoch == 0 { "start".into() } else { format!("after epoch {epoch}") },
            text: penalty.map_or(String::new(), |penalty| format!("P = {penalty:.2}")),
            n,
            entries: shown.map(|entry| (entry.output_channel, place[entry.input_channel], entry.entry)).collect(),
        }
    };
    let mut shown = vec![0, soft.div_ceil(2), soft];
    shown.dedup();
    let rounded = HeatPanel {
        name: "rounded".into(),
        text: "P = 0".into(),
        n,
        entries: (0..n).map(|channel| (channel, channel, 1.0)).collect(),
    };
    Ok(Heat {
        title: title.into(),
        panels: shown.into_iter().map(panel).chain([rounded]).collect(),
        captions: [
            format!(
                "One run (seed 1, v2 0.5×, CIFAR-10): shuffle {TRACED}. Rows: output channels; columns: input channels in the order of the permutation it is rounded to."
            ),
            format!("White is 0 and black is 1, by the square root; entries below {LEAST} are white."),
        ],
    })
}
