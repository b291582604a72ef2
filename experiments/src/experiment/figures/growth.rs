//! Seconds and memory against n: the sparse search, and what others take.

use super::tables::LOOKS;
use crate::experiment::canvas::Marker;
use crate::experiment::chart::{GREY, Look};
use crate::experiment::lines::{Arrangement, LinePanel, Lines, Scale, Series};
use crate::experiment::read_rows;
use birkhoff::error::Result;
use plotters::prelude::BLACK;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Measured {
    n: f64,
    cpu_s: f64,
    peak_mb: f64,
}

#[derive(Deserialize)]
struct Published {
    program: String,
    n: f64,
    seconds: f64,
    mb: Option<f64>,
}

#[derive(Deserialize)]
struct Peer {
    n: f64,
    contestant: String,
    status: String,
    cpu_s: Option<f64>,
    peak_mib: Option<f64>,
}

/// What is called in the tables as in the legend, and how it is drawn.
const PEERS: [(&str, &str, Look); 2] = [
    ("scipy faq", "SciPy FAQ (measured)", LOOKS[1]),
    ("graspologic faq, sparse matrices", "graspologic FAQ (measured)", LOOKS[5]),
];

const PUBLISHED: [(&str, Look); 4] = [
    ("FUGAL, CPU", LOOKS[2]),
    ("cuGAL, GPU", LOOKS[3]),
    ("AC/DC, M4 Max", Look { color: BLACK, width: 1.6, dashes: &[], marker: Marker::Plus }),
    ("CSGM (Gunrock), GPU", Look { color: GREY, width: 1.6, dashes: &[3.0, 2.0], marker: Marker::Square }),
];

pub(super) fn growth(results: &Path) -> Result<Lines> {
    let ours: Vec<Measured> = read_rows(&results.join("growth/growth.csv"))?;
    let published: Vec<Published> = read_rows(&results.join("growth/published.csv"))?;
    let peers: Vec<Peer> = read_rows(&results.join("peers/pairs/peers.csv"))?;
    type Of<Row> = fn(&Row) -> Option<f64>;
    let panel = |(title, y_label): (&str, &str),
                 of_ours: fn(&Measured) -> f64,
                 of_peer: Of<Peer>,
                 of_published: Of<Published>| {
        let mut series =
            vec![Series::exact("birkhoff, sparse search", LOOKS[0], ours.iter().map(|row| (row.n, of_ours(row))))];
        for (contestant, name, look) in PEERS {
            let rows = peers.iter().filter(|row| row.contestant == contestant && row.status == "ok");
            let mut of_it = Series::exact(name, look, rows.filter_map(|row| Some((row.n, of_peer(row)?))));
            // Several pairs of a size.
            of_it.joined = false;
            series.push(of_it);
        }
        for (program, look) in PUBLISHED {
            let rows = published.iter().filter(|row| row.program == program);
            let points = rows.filter_map(|row| Some((row.n, of_published(row)?)));
            series.push(Series::exact(format!("{program} (published)"), look, points));
        }
        LinePanel {
            title: title.into(),
            x_label: "n, vertices".into(),
            y_label: y_label.into(),
            x_names: [(1e3, "1000"), (1e4, "10,000"), (1e5, "100,000")].map(|(n, name)| (n, name.to_string())).to_vec(),
            y: None,
            scale: Scale::Logarithmic,
            series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
        }
    };
    Ok(Lines {
        title: "How time and memory grow with the graphs".into(),
        captions: vec![
            "Ours: Erdős–Rényi graphs of mean degree 10, 5 % of the edges removed, one thread, one run each. SciPy and graspologic: real pairs, one thread, measured on another machine.".into(),
            "Published: seconds and memory that their authors report, on other machines and other graphs; not our measurements.".into(),
        ],
        arrangement: Arrangement::Rows,
        panels: vec![
            panel(("Time", "seconds"), |row| row.cpu_s, |row| row.cpu_s, |row| Some(row.seconds)),
            panel(("Memory", "peak, MB"), |row| row.peak_mb, |row| row.peak_mib, |row| row.mb),
        ],
        height: 400.0,
    })
}
