//! Likelihood ratios of the trees that hang below two vertices: correlated against independent.

use super::classes::Early;
use super::messages::Pairs;
use super::tree_model::Model;
use crate::graph::Graph;
use crate::stop::Stop;
use nalgebra::DMatrix;

/// Messages that are held at most: two generations of 2 bytes each, 1.07 GB together.
const MOST_MESSAGES: usize = 1 << 28;

/// Pairs of classes of trees that are looked at at most, of 2 bytes each.
const MOST_CLASS_PAIRS: usize = 1 << 24;

/// The share of the entries of C that its lower clip takes in.
const CLIPPED: f64 = 0.01;

/// [`super::subtree_ratios`], its input checked; `None` where `stop` came first.
pub(super) fn subtree_cost(
    a: &Graph,
    b: &Graph,
    kept: f64,
    rounds: usize,
    anchors: &[(usize, usize)],
    stop: &Stop,
) -> Option<DMatrix<f64>> {
    let Some(model) = Model::of(a, b, kept, anchors) else {
        return Some(DMatrix::zeros(a.vertex_count(), b.vertex_count()));
    };
    let early = Early::grow(&model, rounds, MOST_CLASS_PAIRS, stop)?;
    let mut logarithms = early.vertex_logarithms(&model, stop)?;
    if early.rounds < rounds {
        let pairs = Pairs::likely(&model, &logarithms, MOST_MESSAGES, stop)?;
        let mut messages = pairs.first(&model, &early.classes, stop);
        for _ in early.rounds..rounds {
            messages = pairs.round(&model, &logarithms, &messages, stop)?;
        }
        pairs.write_logarithms(&model, &messages, &mut logarithms, stop)?;
    }
    let mut cost = -logarithms;
    clip(&mut cost);
    Some(cost)
}

/// Raises the smallest entries to their 1 % quantile.
fn clip(cost: &mut DMatrix<f64>) {
    let mut values: Vec<f32> = cost.iter().map(|&v| v as f32).collect();
    let place = (CLIPPED * values.len() as f64) as usize;
    if place > 0 {
        let low = f64::from(*values.select_nth_unstable_by(place, f32::total_cmp).1);
        cost.iter_mut().for_each(|v| *v = v.max(low));
    }
}

#[cfg(test)]
mod tests {
    use super::super::matchings::matching_sum;
    use super::super::ratio::logarithm;
    use super::*;
    use crate::instance::{noisy_erdos_renyi, rng};

    const NEVER: Stop = Stop::never();

    /// L_{i→k, j→l} after `rounds`, straight from the recursion; k and l are `None` for a whole vertex.
    fn recursion(
        model: &Model,
        graphs: [&Graph; 2],
        ij: [usize; 2],
        without: [Option<usize>; 2],
        rounds: usize,
    ) -> f64 {
        let below = [0, 1].map(|side| -> Vec<usize> {
            let neighbours = graphs[side].neighbours(ij[side]).0.iter().copied();
            neighbours.filter(|&k| Some(k) != without[side] && k != ij[side]).collect()
        });
        let anchors = model.anchor_ratio(model.sides[0].anchors[ij[0]], model.sides[1].anchors[ij[1]]);
        if rounds == 0 {
            return anchors;
        }
        let ratio = |&k: &usize, &l: &usize| recursion(model, graphs, [k, l], ij.map(Some), rounds - 1);
        let table: Vec<Vec<f64>> = below[0].iter().map(|k| below[1].iter().map(|l| ratio(k, l)).collect()).collect();
        let weights = model.weights(below[0].len(), below[1].len());
        anchors * matching_sum(below[0].len(), below[1].len(), weights, |r, c| table[r][c])
    }

    #[test]
    fn rounds_are_those_of_the_recursion() {
        let instance = noisy_erdos_renyi(16, 2.2, 0.2, &mut rng(1, 0)).unwrap();
        let graphs = [&instance.a, &instance.b];
        for anchors in [vec![], vec![(2, instance.truth.apply(2)), (5, 0)]] {
            if anchors.len() > 1 && anchors[0].1 == anchors[1].1 {
                continue;
            }
            let model = Model::of(&instance.a, &instance.b, 0.7, &anchors).unwrap();
            for (rounds, early_rounds) in [(0, 0), (3, 3), (3, 0), (3, 1)] {
                let early = Early::grow(&model, early_rounds, usize::MAX, &NEVER).unwrap();
                let mut found = early.vertex_logarithms(&model, &NEVER).unwrap();
                if early.rounds < rounds {
                    let pairs = Pairs::likely(&model, &found, MOST_MESSAGES, &NEVER).unwrap();
                    let mut messages = pairs.first(&model, &early.classes, &NEVER);
                    for _ in early.rounds..rounds {
                        messages = pairs.round(&model, &found, &messages, &NEVER).unwrap();
                    }
                    pairs.write_logarithms(&model, &messages, &mut found, &NEVER).unwrap();
                }
                for (i, j) in (0..16).flat_map(|i| (0..16).map(move |j| (i, j))) {
                    let expected = logarithm(recursion(&model, graphs, [i, j], [None; 2], rounds + 1));
                    // Each of at most 16 factors of a term is good to 2⁻⁹.
                    assert!(
                        (found[(i, j)] - expected).abs() < 16.0 / 512.0,
                        "({i}, {j}): {}, {expected}",
                        found[(i, j)]
                    );
                }
            }
        }
    }

    #[test]
    fn where_not_all_pairs_fit_the_likely_ones_are_kept() {
        let instance = noisy_erdos_renyi(120, 3.0, 0.1, &mut rng(2, 0)).unwrap();
        let model = Model::of(&instance.a, &instance.b, 0.7, &[]).unwrap();
        let early = Early::grow(&model, 2, usize::MAX, &NEVER).unwrap();
        let logarithms = early.vertex_logarithms(&model, &NEVER).unwrap();
        let all = Pairs::likely(&model, &logarithms, usize::MAX, &NEVER).unwrap();
        let most = all.message_count() / 2;
        let few = Pairs::likely(&model, &logarithms, most, &NEVER).unwrap();
        assert!(few.message_count() <= most && few.message_count() > most / 2);
        let is_kept = |i: usize| few.contains(i, instance.truth.apply(i));
        let kept = (0..120).filter(|&i| is_kept(i)).count();
        assert!(kept > 90, "{kept} of 120 true pairs are left, where half of them would be by chance");
        let messages = few.round(&model, &logarithms, &few.first(&model, &early.classes, &NEVER), &NEVER).unwrap();
        let mut found = logarithms.clone();
        few.write_logarithms(&model, &messages, &mut found, &NEVER).unwrap();
        assert!(found.iter().all(|v| v.is_finite()) && found != logarithms);
    }
}
