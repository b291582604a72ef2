//! f + λP on D_2 for graph matching, with the weight below, at and above its thresholds
//! ([§6](birkhoff::mathematics#6-two-layer-networks)).

use birkhoff::error::Result;
use birkhoff::graph::Graph;
use birkhoff::objective::{GraphMatching, Objective};
use birkhoff::penalty::Penalty;
use nalgebra::{DMatrix, dmatrix};
use serde::{Deserialize, Serialize};

/// One point of a landscape: a row of `landscapes.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The relaxed minimizer.
    pub tau: f64,
    /// λ.
    pub weight: f64,
    /// What λ is.
    pub threshold: String,
    /// q, with X = \[\[q, 1 − q\], \[1 − q, q\]\].
    pub q: f64,
    /// f + λP.
    pub total: f64,
}

/// The weights of the loops of B; those of A are 2 and 0, and q = 1 matches the heavy vertex to the heavy one.
const LOOPS: [(f64, f64); 2] = [(1.3, 0.7), (1.1, 0.9)];

/// Points from q = 0 to q = 1.
const POINTS: usize = 200;

fn at(q: f64) -> DMatrix<f64> {
    dmatrix![q, 1.0 - q; 1.0 - q, q]
}

/// All landscapes at all weights: f = αq² + β(1 − q)² + 2γq(1 − q), k = α + β − 2γ, relaxed minimizer τ = (β − γ)/k.
pub(super) fn landscapes() -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for (d, f) in LOOPS {
        let a = Graph::from_matrix(&dmatrix![2.0, 0.0; 0.0, 0.0])?;
        let objective = GraphMatching::new(a, Graph::from_matrix(&dmatrix![d, 0.0; 0.0, f])?)?;
        let (alpha, beta, half) = (objective.value(&at(1.0)), objective.value(&at(0.0)), objective.value(&at(0.5)));
        let gamma = 0.5 * (4.0 * half - alpha - beta);
        let k = alpha + beta - 2.0 * gamma;
        let tau = (beta - gamma) / k;
        let (right, wrong) = (0.5 * k * (1.0 - tau), 0.5 * k * tau);
        let weights = [
            ("", 0.0),
            ("half of λ₁", 0.5 * right),
            ("λ₁: q = 1 is the minimum", right),
            ("λ₂: q = 0 is one too", wrong),
            ("1.5 λ₂", 1.5 * wrong),
        ];
        for (threshold, weight) in weights {
            points.extend((0..=POINTS).map(|step| {
                let q = step as f64 / POINTS as f64;
                let total = objective.value(&at(q)) + weight * Penalty::L1MinusL2.value(&at(q));
                Point { tau, weight, threshold: threshold.to_string(), q, total }
            }));
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_threshold_the_minimum_is_inside_and_from_it_on_at_the_vertex() {
        let points = landscapes().unwrap();
        for landscape in points.chunks(POINTS + 1) {
            let lowest = landscape.iter().min_by(|a, b| a.total.total_cmp(&b.total)).unwrap();
            let below = landscape[0].weight == 0.0 || landscape[0].threshold.starts_with("half");
            assert_eq!(lowest.q < 1.0, below, "{lowest:?}");
            if landscape[0].weight == 0.0 {
                assert!((lowest.q - lowest.tau).abs() <= 0.5 / POINTS as f64);
            }
        }
    }
}
