//! Figures of the graph matching experiment beyond its own: landscapes, ρ₅₀ against n, a path.

use crate::experiment::canvas::Marker;
use crate::experiment::chart::{BLUE, GREEN, GREY, Look, PURPLE, SKY, VERMILION};
use crate::experiment::graph_matching::config::describe;
use crate::experiment::graph_matching::figure::{limit, look};
use crate::experiment::graph_matching::landscapes::Point;
use crate::experiment::graph_matching::path::Stage;
use crate::experiment::graph_matching::{Experiment, Threshold};
use crate::experiment::lines::{Arrangement, LinePanel, Lines, Scale, Series};
use crate::experiment::two_layer::figure::WEIGHTS;
use plotters::prelude::BLACK;

/// f + λP on the segment, one panel a problem; markers at the global minima.
pub(super) fn landscapes(points: &[Point]) -> Lines {
    let mut taus: Vec<f64> = points.iter().map(|point| point.tau).collect();
    taus.dedup();
    let panel = |tau: f64| {
        let shown: Vec<&Point> = points.iter().filter(|point| point.tau == tau).collect();
        let curves = shown.chunk_by(|a, b| a.weight == b.weight);
        let series = curves.zip(WEIGHTS).map(|(curve, look)| {
            let lowest = curve.iter().map(|point| point.total).fold(f64::INFINITY, f64::min);
            let minima = curve.iter().filter(|point| point.total <= lowest + 1e-9).map(|point| (point.q, point.total));
            let name = match (curve[0].weight, curve[0].threshold.as_str()) {
                (0.0, _) => "λ = 0".to_string(),
                (weight, threshold) => format!("λ {weight:.2}, {threshold}"),
            };
            let line = curve.iter().map(|point| (point.q, point.total)).collect();
            Series { curve: line, joined: false, ..Series::exact(name, look, minima) }
        });
        LinePanel {
            title: format!("relaxed minimizer at q = {tau:.3}"),
            x_label: "q".into(),
            y_label: "f + λP".into(),
            x_names: vec![],
            y: None,
            scale: Scale::Linear,
            series: series.collect(),
        }
    };
    Lines {
        title: "Graph matching at n = 2: f + λP between the two permutations".into(),
        captions: vec![
            "A = diag(2, 0), B = diag(1.3, 0.7) and diag(1.1, 0.9); X = [[q, 1 − q], [1 − q, q]], q = 1 is right. Markers: global minima.".into(),
            "Closed forms, computed exactly: there are no trials and no intervals.".into(),
        ],
        arrangement: Arrangement::Rows,
        panels: taus.into_iter().map(panel).collect(),
        height: 330.0,
    }
}

/// ρ₅₀ against n, one panel a density; the experiment says how its methods look.
pub(super) fn thresholds(experiment: &Experiment, rows: &[Threshold]) -> Lines {
    let mut densities: Vec<Option<f64>> = Vec::new();
    for row in rows {
        if !densities.contains(&row.p) {
            densities.push(row.p);
        }
    }
    let panel = |&p: &Option<f64>| {
        let mut series: Vec<Series> = Vec::new();
        for (index, name) in experiment.names().into_iter().enumerate() {
            // Methods that agree stand side by side.
            let shift = 1.0 + 0.018 * (index as f64 - 3.5);
            let shown = rows.iter().filter(|row| row.p == p && row.method == name);
            let point = |row: &Threshold| {
                let rho = row.rho50?;
                let (low, high) = (row.rho50_low.unwrap_or(rho), row.rho50_high.unwrap_or(rho));
                Some(((row.n as f64 * shift, rho), low, high))
            };
            series.push(Series::of(name.clone(), look(experiment, &name), shown.filter_map(point).collect()));
        }
        let sizes: Vec<usize> = {
            let mut sizes: Vec<usize> = rows.iter().filter(|row| row.p == p).map(|row| row.n).collect();
            sizes.sort_unstable();
            sizes.dedup();
            sizes
        };
        let theory = Look { color: BLACK, width: 1.6, dashes: &[10.0, 3.0, 2.0, 3.0], marker: Marker::Plus };
        // A little beyond the first and the last size, so that one size has a line as well.
        let ends = [sizes.first().map(|&n| 0.94 * n as f64), sizes.last().map(|&n| 1.06 * n as f64)];
        let [first, last] = ends.map(|end| end.into_iter());
        let places = first.chain(sizes.iter().map(|&n| n as f64)).chain(last);
        let curve = places.map(|n| (n, limit(n))).collect();
        series.push(Series { curve, ..Series::exact("limit nρ² = 4 ln n (Gaussian)", theory, []) });
        LinePanel {
            title: p.map_or("Gaussian matrices".into(), |p| format!("p = {p}")),
            x_label: "vertices n (log scale)".into(),
            y_label: "ρ₅₀: correlation at which half of the trials are recovered".into(),
            x_names: sizes.iter().map(|&n| (n as f64, n.to_string())).collect(),
            y: Some((0.2, 1.02)),
            scale: Scale::LogarithmicX,
            series,
        }
    };
    Lines {
        title: "How much noise does each method bear? Lower is better".into(),
        captions: vec![
            format!("{} trials at each correlation; bars: 95 % bootstrap intervals (none where a resample has no crossing).", experiment.trials),
            "Recovered: at least 90 % of the vertices right. Where the share is below one half at every level nothing is drawn.".into(),
        ],
        arrangement: Arrangement::Rows,
        panels: densities.iter().map(panel).collect(),
        height: 380.0,
    }
}

/// Value, penalty, distance and vertices right along one path.
pub(super) fn path(stages: &[Stage]) -> Lines {
    // The relaxation has no place on a logarithmic axis: it stands one step to the left.
    let first = stages.iter().map(|stage| stage.weight).find(|&weight| weight > 0.0).unwrap_or(1.0);
    let x = |stage: &Stage| if stage.weight > 0.0 { stage.weight } else { first / 2.0 };
    let line = |of: fn(&Stage) -> f64| stages.iter().map(|stage| (x(stage), of(stage))).collect::<Vec<_>>();
    let looks = [
        Look { color: VERMILION, width: 2.6, dashes: &[], marker: Marker::Circle },
        Look { color: BLUE, width: 2.0, dashes: &[14.0, 4.0], marker: Marker::Diamond },
        Look { color: GREY, width: 1.6, dashes: &[6.0, 6.0], marker: Marker::Plus },
        Look { color: GREEN, width: 2.0, dashes: &[2.5, 3.5], marker: Marker::Triangle },
        Look { color: PURPLE, width: 2.0, dashes: &[5.0, 3.0], marker: Marker::Cross },
        Look { color: SKY, width: 2.0, dashes: &[9.0, 5.0], marker: Marker::Square },
    ];
    let panel = |title: &str, y_label: &str, series: Vec<Series>| LinePanel {
        title: title.to_string(),
        x_label: "weight λ (log scale; leftmost: λ = 0)".into(),
        y_label: y_label.to_string(),
        x_names: vec![],
        y: None,
        scale: Scale::LogarithmicX,
        series,
    };
    let certified = |stage: &Stage| f64::from(u8::from(stage.certified));
    let which = stages
        .first()
        .map_or(String::new(), |stage| format!("{}, correlation {}", describe((stage.n, stage.p)), stage.rho));
    Lines {
        title: "One penalized path, stage by stage".into(),
        captions: vec![format!(
            "One run: correlated Erdős–Rényi graphs, {which}. Path by itself: no look ahead, no polish."
        )],
        arrangement: Arrangement::Rows,
        panels: vec![
            panel(
                "Value",
                "f = ‖AX − XB‖²",
                vec![
                    Series::exact("f at X", looks[0], line(|stage| stage.value)),
                    Series::exact("f at the rounded X", looks[1], line(|stage| stage.rounded_value)),
                    Series::exact("f at the hidden permutation", looks[2], line(|stage| stage.truth_value)),
                ],
            ),
            panel(
                "Penalty",
                "P(X), 0 at permutations only",
                vec![Series::exact("P", looks[3], line(|stage| stage.penalty))],
            ),
            panel(
                "Distance to the hidden permutation",
                "‖X − T‖, Frobenius",
                vec![Series::exact("distance", looks[4], line(|stage| stage.distance))],
            ),
            panel(
                "Right and certified",
                "share; certified: 0 no, 1 yes",
                vec![
                    Series::exact("vertices right when rounded", looks[5], line(|stage| stage.node_correctness)),
                    Series::exact("rounding certified", looks[0], line(certified)),
                ],
            ),
        ],
        height: 240.0,
    }
}
