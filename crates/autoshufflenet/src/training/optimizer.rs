//! Stochastic gradient descent with momentum, whose state can be saved.

use crate::model::Network;
use std::collections::BTreeMap;
use tch::{Tensor, no_grad};

/// v ← momentum·v + g + decay·w, w ← w − rate·v, as PyTorch's SGD; then every matrix is made feasible.
#[derive(Debug)]
pub struct Sgd {
    /// Momentum.
    pub momentum: f64,
    /// Weight decay of convolutions and of the classifier's matrix; nothing else has any.
    pub weight_decay: f64,
    /// Learning rate of the shuffles' matrices, in units of the weights'.
    pub shuffle_rate: f64,
    /// How often columns and rows of a matrix are scaled after each step.
    pub scaling_rounds: usize,
    /// v by the name of its variable.
    pub velocity: BTreeMap<String, Tensor>,
}

/// The variables that SGD moves: name, tensor, whether it is a shuffle's matrix.
fn variables(network: &Network) -> Vec<(String, Tensor, bool)> {
    let weights = network.store.variables().into_iter().filter(|(_, variable)| variable.requires_grad());
    let mut variables: Vec<_> = weights.map(|(name, variable)| (name, variable, false)).collect();
    for shuffle in network.shuffles() {
        if let Some(matrix) = shuffle.matrix() {
            variables.push((matrix_name(shuffle.name()), matrix.shallow_clone(), true));
        }
    }
    variables
}

/// Name of a shuffle's matrix in checkpoints.
pub fn matrix_name(shuffle: &str) -> String {
    format!("{shuffle}.shuffle.matrix")
}

impl Sgd {
    /// One step from the gradients of the last backward pass, which become zero.
    pub fn step(&mut self, network: &mut Network, rate: f64) {
        no_grad(|| {
            for (name, mut variable, is_matrix) in variables(network) {
                let mut gradient = variable.grad();
                if !gradient.defined() {
                    continue;
                }
                let decays = !is_matrix && variable.dim() > 1;
                if decays && self.weight_decay > 0.0 {
                    gradient += &variable * self.weight_decay;
                }
                let velocity = self.velocity.entry(name).or_insert_with(|| gradient.zeros_like());
                let _ = velocity.g_mul_scalar_(self.momentum).g_add_(&gradient);
                let rate = if is_matrix { rate * self.shuffle_rate } else { rate };
                variable -= &*velocity * rate;
                let _ = gradient.zero_();
            }
        });
        network.shuffles_mut().into_iter().for_each(|shuffle| shuffle.make_feasible(self.scaling_rounds));
    }

    /// Forgets what belongs to matrices that have become permutations.
    pub fn forget_fixed(&mut self, network: &Network) {
        for shuffle in network.shuffles() {
            if shuffle.matrix().is_none() {
                self.velocity.remove(&matrix_name(shuffle.name()));
            }
        }
    }
}
