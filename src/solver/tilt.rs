//! A linear term that fades from stage to stage of a path.

use super::Iterate;
use crate::objective::Objective;
use crate::permutation::Permutation;
use nalgebra::DMatrix;

/// w_k⟨C, X⟩, w_k = w·q^k in stage k = 0, 1, … ([§4](crate::mathematics#4-solvers)).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tilt<'a> {
    /// C.
    pub cost: &'a DMatrix<f64>,
    /// w.
    pub weight: f64,
    /// q.
    pub fade: f64,
}

impl<'a> Tilt<'a> {
    /// With weight w in the first of so many stages, and `left`·w in the last.
    pub fn fading(cost: &'a DMatrix<f64>, (weight, left): (f64, f64), stages: usize) -> Self {
        Tilt { cost, weight, fade: left.powf(1.0 / (stages.max(2) - 1) as f64) }
    }

    /// w_k.
    pub fn weight_in(&self, stage: usize) -> f64 {
        self.weight * self.fade.powi(stage as i32)
    }
}

/// f(X) + w⟨C, X⟩, as fast as f.
pub(super) struct Tilted<'a> {
    pub objective: &'a dyn Objective,
    /// C.
    pub cost: &'a DMatrix<f64>,
    /// w.
    pub weight: f64,
}

impl Tilted<'_> {
    /// What is known at X moves with w, from w − `change`.
    pub fn retilt(&self, change: f64, state: &mut Iterate) {
        add(change, self.cost, &mut state.gradient);
        state.value += change * self.cost.dot(&state.x);
    }

    /// `gradient += t·wC`, the term's part where f's own was blended ([`VertexGradient::blend`]).
    ///
    /// [`VertexGradient::blend`]: crate::objective::VertexGradient::blend
    pub fn blend(&self, t: f64, gradient: &mut DMatrix<f64>) {
        add(t * self.weight, self.cost, gradient);
    }
}

impl Objective for Tilted<'_> {
    fn size(&self) -> usize {
        self.objective.size()
    }

    fn value(&self, x: &DMatrix<f64>) -> f64 {
        self.objective.value(x) + self.weight * self.cost.dot(x)
    }

    fn gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) {
        self.objective.gradient(x, gradient);
        add(self.weight, self.cost, gradient);
    }

    fn value_and_gradient(&self, x: &DMatrix<f64>, gradient: &mut DMatrix<f64>) -> f64 {
        let value = self.objective.value_and_gradient(x, gradient);
        add(self.weight, self.cost, gradient);
        value + self.weight * self.cost.dot(x)
    }

    fn value_at(&self, p: &Permutation) -> f64 {
        self.objective.value_at(p) + self.weight * p.inner_product(self.cost)
    }

    fn scale(&self) -> f64 {
        self.objective.scale()
    }

    fn is_convex(&self) -> bool {
        self.objective.is_convex()
    }
}

/// `target += w·C`.
fn add(weight: f64, cost: &DMatrix<f64>, target: &mut DMatrix<f64>) {
    target.zip_apply(cost, |to, c| *to += weight * c);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_gaussian, rng};
    use crate::objective::GraphMatching;
    use crate::penalty::Penalty;
    use crate::polytope::{Face, random_point};
    use crate::solver::{FrankWolfe, Limits, Stage, minimize};

    fn gaussian(rng: &mut impl rand::Rng) -> (GraphMatching, DMatrix<f64>) {
        let pair = correlated_gaussian(7, 0.5, rng).unwrap();
        let cost = correlated_gaussian(7, 0.0, rng).unwrap().a.to_matrix();
        (GraphMatching::new(pair.a, pair.b).unwrap(), cost)
    }

    #[test]
    fn a_tilted_objective_is_the_objective_with_a_linear_term() {
        let mut rng = rng(1, 0);
        let ((f, cost), weight) = (gaussian(&mut rng), 0.7);
        let whole = f.clone().with_linear(&(&cost * weight)).unwrap();
        let tilted = Tilted { objective: &f, cost: &cost, weight };
        let (x, p) = (random_point(7, &mut rng), Permutation::random(7, &mut rng));
        let mut gradients = [DMatrix::zeros(7, 7), DMatrix::zeros(7, 7)];
        // Sums of some hundred numbers of size 1 to 10.
        let close = |v: f64, expected: f64| assert!((v - expected).abs() < 1e-10, "{v}, not {expected}");
        close(tilted.value(&x), whole.value(&x));
        close(tilted.value_and_gradient(&x, &mut gradients[0]), whole.value_and_gradient(&x, &mut gradients[1]));
        close((&gradients[0] - &gradients[1]).amax(), 0.0);
        f.vertex_gradient().unwrap().blend(&p, 0.3, &mut gradients[0]);
        tilted.blend(0.3, &mut gradients[0]);
        whole.vertex_gradient().unwrap().blend(&p, 0.3, &mut gradients[1]);
        close((&gradients[0] - &gradients[1]).amax(), 0.0);
        tilted.gradient(&x, &mut gradients[0]);
        whole.gradient(&x, &mut gradients[1]);
        close((&gradients[0] - &gradients[1]).amax(), 0.0);
        close(tilted.value_at(&p), whole.value_at(&p));
    }

    /// Each stage's end is asked with what is known there: the value and the gradient of f with that stage's term.
    #[test]
    fn what_is_known_at_x_follows_the_term_from_stage_to_stage() {
        let mut rng = rng(2, 0);
        let (f, cost) = gaussian(&mut rng);
        let stage = |weight: f64| Stage { weight: weight * f.scale(), max_steps: 4, gap_tolerance: 0.0 };
        let stages: Vec<_> = [0.0, 0.1, 0.2].map(stage).to_vec();
        let tilt = Tilt::fading(&cost, (0.5, 0.04), stages.len());
        let mut asked = 0;
        let solver = FrankWolfe::new(Penalty::default(), stages, Face::new(7, &[]).unwrap()).tilted(Some(tilt));
        let solver = solver.at_stage_ends(|_, last| {
            let weight = [0.5, 0.1, 0.02][asked];
            let whole = f.clone().with_linear(&(&cost * weight)).unwrap();
            let mut gradient = DMatrix::zeros(7, 7);
            let value = whole.value_and_gradient(&last.x, &mut gradient);
            assert!((last.value - value).abs() < 1e-10, "stage {asked}: {} and {value}", last.value);
            assert!((&last.gradient - gradient).amax() < 1e-10, "stage {asked}");
            asked += 1;
            Ok(false)
        });
        let last = minimize(&f, solver, Iterate::at(random_point(7, &mut rng)), &Limits::default()).unwrap();
        // A bound on f + w⟨C, X⟩ bounds nothing else.
        assert_eq!((asked, last.iterations(), last.lower_bound), (3, 12, f64::NEG_INFINITY));
    }
}
