//! Searches that know nothing of one another, and what they agree on.

use super::exploration::{Found, Search, is_reheatable};
use super::finish::Finished;
use super::layers::{Layers, SAME};
use super::path::blend;
use crate::error::Result;
use crate::sparse_matrix::SparseMatrix;

/// Graphs of so many vertices are searched once: that takes long enough.
const LARGE: usize = 6000;

/// Searches at most, and the arcs of all of them: some twenty seconds.
const MOST: usize = 8;
const ARCS: usize = 130_000;

/// The share of the answers in the start of a path from all of them.
const MIXED: f64 = 0.5;

/// Answers that must be as good as the best: on small graphs two come to the same value by chance.
const AGREE: usize = 3;

/// Mixtures in a row that may bring nothing.
const PATIENCE: usize = 2;

/// Searches again with other random numbers, until three searches end at the same best value: what is lost hardly does.
/// Where none do, a path leads from the mean of all answers, mixed with the candidates, to the next answer, as long as
/// that is better: what most answers agree on is right more often than each of them.
pub(super) fn agree<'l>(search: &Search, layers: &'l Layers, found: &mut Found<'l>) -> Result<()> {
    let (n_a, n_b) = layers.shape();
    if n_a.max(n_b) >= LARGE {
        return Ok(());
    }
    // Lost: others will be, too.
    if layers.is_lost(&found.best.partners) {
        return Ok(());
    }
    let arcs: usize = layers.a.iter().zip(&layers.b).map(|(a, b)| a.arc_count().max(b.arc_count())).sum();
    let most = (ARCS / arcs.max(1)).clamp(2, MOST) as u64;
    let mut answers = vec![found.best.clone()];
    for number in 1..most {
        if is_settled(layers, &answers) || search.is_stopped() {
            break;
        }
        let options =
            search.options.clone().with_rng_seed(search.options.rng_seed.wrapping_add(number.wrapping_mul(GOLDEN)));
        let search = search.with_options(&options);
        let Some(mut other) = search.first(layers)? else { break };
        search.reheat(layers, &mut other)?;
        found.steps += other.steps;
        if other.best.value > found.best.value {
            found.start = other.start;
        }
        enter(layers, &mut found.best, &mut answers, other.best);
    }
    let mut in_vain = 0;
    while is_reheatable(layers) && !is_settled(layers, &answers) && in_vain < PATIENCE && !search.is_stopped() {
        let from = |candidates: &_, _: &[u32]| mixed(candidates, &answers);
        let Some(next) = search.convex_path(layers, found, from)? else { break };
        let before = found.best.value;
        enter(layers, &mut found.best, &mut answers, next);
        in_vain = if found.best.value > before { 0 } else { in_vain + 1 };
    }
    Ok(())
}

/// Enters an answer; and what it makes of the best by [crossing](Finished::cross), where that is better than both.
fn enter(layers: &Layers, best: &mut Finished, answers: &mut Vec<Finished>, next: Finished) {
    let most = best.value.max(next.value);
    best.cross(layers, &next.partners);
    answers.push(next);
    if best.value > most {
        answers.push(best.clone());
    }
}

/// 2⁶⁴ over the golden ratio: seeds that are far from one another.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Whether nothing can be better than the best, or three are as good as it.
fn is_settled(layers: &Layers, answers: &[Finished]) -> bool {
    let best = answers.iter().fold(f64::NEG_INFINITY, |best: f64, answer| best.max(answer.value));
    let as_good = answers.iter().filter(|answer| answer.value >= best - SAME * best.abs()).count();
    as_good >= AGREE || layers.is_most(best)
}

/// Half of the candidates, half of the answers' mean.
fn mixed(start: &SparseMatrix, answers: &[Finished]) -> SparseMatrix {
    let each = MIXED / answers.len() as f64;
    let mut x = start.clone();
    for (number, answer) in answers.iter().enumerate() {
        // What comes later takes its share from what is there.
        x = blend(&x, each / (1.0 - MIXED + each * (number + 1) as f64), &answer.partners);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(partners: &[u32], value: f64) -> Finished {
        Finished { partners: partners.to_vec(), value, mended: 0.0 }
    }

    #[test]
    fn a_mixture_is_half_candidates_and_half_the_mean_of_the_answers() {
        let start = SparseMatrix::from_rows((3, 3), || (), |(), i, row| row.push(i, 0.5));
        let x = mixed(&start, &[answer(&[0, 1, 2], 1.0), answer(&[1, 0, 2], 2.0)]);
        let entry = |i: usize, j: usize| x.entries(i).find(|&(column, _)| column == j).map_or(0.0, |(_, x)| x);
        for (i, j, expected) in [(0, 0, 0.5), (0, 1, 0.25), (1, 0, 0.25), (2, 2, 0.75), (2, 0, 0.0)] {
            assert!((entry(i, j) - expected).abs() < 1e-12, "({i}, {j}): {}", entry(i, j));
        }
    }

    #[test]
    fn three_best_values_settle_it_or_one_that_nothing_is_above() {
        let path = crate::Graph::undirected(3, [(0, 1, 1.0), (1, 2, 1.0)]).unwrap();
        let layers = Layers::new(vec![(path.clone(), path)], &[]).unwrap();
        let settled = |values: &[f64]| {
            let answers: Vec<Finished> = values.iter().map(|&value| answer(&[0, 1, 2], value)).collect();
            is_settled(&layers, &answers)
        };
        assert!(settled(&[4.0]) && settled(&[2.0, 1.0, 2.0, 2.0]));
        assert!(!settled(&[2.0]) && !settled(&[1.0, 2.0, 1.0, 2.0]));
    }
}
