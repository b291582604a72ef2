//! f + λP on D_2, with the weight below, at and above its thresholds.

use super::config::Network;
use birkhoff::error::Result;
use birkhoff::objective::Objective;
use birkhoff::objective::two_layer::{Inputs, PermutationInside, PermutationOutside, Readout};
use birkhoff::penalty::Penalty;
use nalgebra::{DMatrix, DVector, dmatrix};
use serde::{Deserialize, Serialize};

/// One point of a landscape: a row of `landscapes.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Kind of network.
    pub network: Network,
    /// τ of the teacher.
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

/// The landscapes that are drawn: network and τ.
pub const DRAWN: [(Network, f64); 4] = [
    (Network::OutsideVector, 0.8),
    (Network::InsideVector, 0.8),
    (Network::InsideVector, 1.0),
    (Network::InsideScalar, 1.0),
];

/// Points from q = 0 to q = 1.
const POINTS: usize = 200;

/// X or T at q.
fn at(q: f64) -> DMatrix<f64> {
    dmatrix![q, 1.0 - q; 1.0 - q, q]
}

/// The loss with W = I, v = (1, 1) and the teacher at τ.
///
/// # Errors
/// None.
pub fn loss(network: Network, tau: f64) -> Result<Box<dyn Objective>> {
    let (w, teacher, inputs) = (DMatrix::identity(2, 2), at(tau), Inputs::Standard);
    let scalar = Readout::Scalar(DVector::from_element(2, 1.0));
    Ok(match network {
        Network::OutsideVector => Box::new(PermutationOutside::new(&w, &teacher, Readout::Vector, &inputs)?),
        Network::OutsideScalar => Box::new(PermutationOutside::new(&w, &teacher, scalar, &inputs)?),
        Network::InsideVector => Box::new(PermutationInside::new(&w, &teacher, Readout::Vector, &inputs)?),
        Network::InsideScalar => Box::new(PermutationInside::new(&w, &teacher, scalar, &inputs)?),
    })
}

/// The weights from which q = 1 and q = 0 are local minima of f + λP: P falls by 4 a unit of q towards each, so that
/// they are f'(1)/4 and −f'(0)/4 where that is positive ([§6](birkhoff::mathematics#6-two-layer-networks)).
pub fn thresholds(loss: &dyn Objective) -> (f64, f64) {
    let slope = |q: f64| {
        let mut gradient = DMatrix::zeros(2, 2);
        loss.gradient(&at(q), &mut gradient);
        gradient[(0, 0)] + gradient[(1, 1)] - gradient[(0, 1)] - gradient[(1, 0)]
    };
    ((slope(1.0) / 4.0).max(0.0), (-slope(0.0) / 4.0).max(0.0))
}

/// All landscapes at all weights.
pub(super) fn landscapes() -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for (network, tau) in DRAWN {
        let loss = loss(network, tau)?;
        let (right, wrong) = thresholds(&*loss);
        let mut weights = vec![("0", 0.0)];
        if right > 1e-12 {
            weights.extend([("half of λ₁", 0.5 * right), ("λ₁: q = 1 is a minimum", right)]);
        } else if wrong > 1e-12 {
            weights.push(("half of λ₂", 0.5 * wrong));
        }
        if wrong > 1e-12 {
            weights.extend([("λ₂: q = 0 is one too", wrong), ("1.5 λ₂", 1.5 * wrong)]);
        } else {
            weights.extend([("", 0.1), ("", 0.2)]);
        }
        for (threshold, weight) in weights {
            for k in 0..=POINTS {
                let q = k as f64 / POINTS as f64;
                let total = loss.value(&at(q)) + weight * Penalty::L1MinusL2.value(&at(q));
                points.push(Point { network, tau, weight, threshold: threshold.to_string(), q, total });
            }
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thresholds_are_those_of_the_closed_form() {
        // f = 2(1 − 1/π)(q − τ)²: λ₁ = (1 − 1/π)(1 − τ), λ₂ = (1 − 1/π)τ.
        let unit = 1.0 - std::f64::consts::FRAC_1_PI;
        let (right, wrong) = thresholds(&*loss(Network::OutsideVector, 0.8).unwrap());
        assert!((right - 0.2 * unit).abs() < 1e-14 && (wrong - 0.8 * unit).abs() < 1e-14);
    }

    #[test]
    fn below_the_threshold_the_minimum_is_inside_and_from_it_on_at_the_vertex() {
        for (network, tau) in DRAWN {
            let loss = loss(network, tau).unwrap();
            let (right, _) = thresholds(&*loss);
            let minimizer = |weight: f64| {
                let total = |k: &usize| {
                    let x = at(*k as f64 / 1000.0);
                    loss.value(&x) + weight * Penalty::L1MinusL2.value(&x)
                };
                (0..=1000).min_by(|a, b| total(a).total_cmp(&total(b))).unwrap()
            };
            assert!(right == 0.0 || (1..1000).contains(&minimizer(0.9 * right)), "{network:?}");
            let vertex = minimizer(1.001 * right + 1e-9);
            assert!(vertex == 1000 || network == Network::InsideScalar && vertex == 0, "{network:?}: {vertex}");
        }
    }
}
