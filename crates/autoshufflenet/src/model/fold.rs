//! Folding: permutations absorbed into the neighbouring weights.
//!
//! A channel's place is a name. Renaming the outputs of one layer and the inputs of the next changes nothing, so every
//! part of a permutation that only renames can be absorbed. What is left is which channels go where, and it becomes
//! slices:
//!
//! - **v2**: each channel is made by one block, kept for a while, and taken by one branch. Each block's outputs are
//!   ordered by when they are taken; then every shuffle takes one slice from each older block's output, in order.
//! - **v1**: within a group of either grouped convolution the order is free, so that at most groups² slices are left.
//!
//! A shuffle then copies each channel at most once, as ShuffleNet's own does.

use super::v1::Unit;
use super::v2::{ShuffleNet, Stage};
use super::{Layers, Network};
use crate::layers::BatchNorm;
use birkhoff::{Error, Permutation, Result};
use tch::{Tensor, no_grad};

/// Renames the channels of `network`, whose logits stay as they are up to rounding.
///
/// # Errors
/// [`Error::Argument`] when a shuffle is still a matrix.
pub fn fold(network: &mut Network) -> Result<()> {
    if let Some(soft) = network.shuffles().iter().find(|shuffle| shuffle.permutation().is_none()) {
        return Err(Error::argument("fold", format!("the shuffle {} is not rounded yet", soft.name())));
    }
    no_grad(|| match &mut network.layers {
        Layers::V1(layers) => layers.units.iter_mut().try_for_each(fold_unit),
        Layers::V2(layers) => fold_v2(layers),
    })
}

/// `tensor` ← its slices along `dimension` in the given order.
fn reorder(tensor: &Tensor, dimension: i64, order: &[usize]) {
    let index: Vec<i64> = order.iter().map(|&channel| channel as i64).collect();
    let reordered = tensor.index_select(dimension, &Tensor::from_slice(&index).to_device(tensor.device()));
    tensor.shallow_clone().copy_(&reordered);
}

fn reorder_outputs(weight: &Tensor, norm: &BatchNorm, order: &[usize]) {
    reorder(weight, 0, order);
    norm.tensors().into_iter().for_each(|tensor| reorder(tensor, 0, order));
}

fn image_of(shuffle: &crate::shuffle::Shuffle) -> Vec<usize> {
    shuffle.permutation().map(|permutation| permutation.image().to_vec()).unwrap_or_default()
}

fn fold_v2(layers: &mut ShuffleNet) -> Result<()> {
    for index in 0..layers.stages.len() {
        let order = fold_stage(&mut layers.stages[index])?;
        match layers.stages.get(index + 1) {
            Some(next) => {
                reorder_outputs(&next.first.depthwise.0.weight, &next.first.depthwise.1, &order);
                reorder(&next.first.pointwise.0.weight, 1, &order);
                reorder(&next.first.branch.first.0.weight, 1, &order);
            }
            None => reorder(&layers.last.0.weight, 1, &order),
        }
    }
    Ok(())
}

/// A channel of a stage: the number of the half that it was made in (0 and 1 by the first block, then one a block), and
/// its place there.
type Channel = (usize, usize);

/// Folds a stage's shuffles; returns the order of the stage's outputs, as places of the old ones.
fn fold_stage(stage: &mut Stage) -> Result<Vec<usize>> {
    let count = stage.shuffles.len();
    let half = stage.shuffles[0].len() / 2;
    let made = |number: usize| (0..half).map(move |place| (number, place));

    // Where each channel is after each shuffle, and when it is taken.
    let mut taken = vec![vec![count - 1; half]; count + 1];
    let mut after: Vec<Vec<Channel>> = vec![];
    for (time, shuffle) in stage.shuffles.iter().enumerate() {
        let before: Vec<Channel> = match after.last() {
            None => made(0).chain(made(1)).collect(),
            Some(last) => last[..half].iter().copied().chain(made(time + 1)).collect(),
        };
        let moved: Vec<Channel> = image_of(shuffle).into_iter().map(|place| before[place]).collect();
        if time + 1 < count {
            moved[half..].iter().for_each(|&(number, place)| taken[number][place] = time);
        }
        after.push(moved);
    }

    // Each half in the order in which it is taken.
    let orders: Vec<Vec<usize>> = taken
        .iter()
        .map(|times| {
            let mut order: Vec<usize> = (0..half).collect();
            order.sort_by_key(|&place| (times[place], place));
            order
        })
        .collect();
    let mut renamed = vec![vec![0; half]; count + 1];
    for (names, order) in renamed.iter_mut().zip(&orders) {
        order.iter().enumerate().for_each(|(new, &old)| names[old] = new);
    }
    let by_new_name = |&(number, place): &Channel| (number, renamed[number][place]);

    let layers = &stage.first;
    reorder_outputs(&layers.pointwise.0.weight, &layers.pointwise.1, &orders[0]);
    reorder_outputs(&layers.branch.last.0.weight, &layers.branch.last.1, &orders[1]);
    for (branch, order) in stage.branches.iter().zip(&orders[2..]) {
        reorder_outputs(&branch.last.0.weight, &branch.last.1, order);
    }

    // Every half that a shuffle makes, by old names, in the order of the new ones.
    let mut kept: Vec<Channel> = orders[0].iter().map(|&place| (0, place)).collect();
    let mut last_order = vec![];
    for (time, old) in after.iter().enumerate() {
        let before: Vec<Channel> = kept.iter().map(by_new_name).chain(made(time + 1)).collect();
        let mut now = old.clone();
        if time + 1 < count {
            now[..half].sort_by_key(by_new_name);
            now[half..].sort_by_key(by_new_name);
            let columns: Vec<usize> = now[half..].iter().map(|channel| place_of(channel, &old[half..])).collect();
            reorder(&stage.branches[time].first.0.weight, 1, &columns);
        } else {
            now.sort_by_key(by_new_name);
            last_order = now.iter().map(|channel| place_of(channel, old)).collect();
        }
        let image = now.iter().map(|channel| place_of(&by_new_name(channel), &before)).collect();
        let device = stage.first.pointwise.0.weight.device();
        stage.shuffles[time].fix(Permutation::new(image)?, device);
        kept = now[..half].to_vec();
    }
    Ok(last_order)
}

fn place_of(channel: &Channel, among: &[Channel]) -> usize {
    among.iter().position(|other| other == channel).unwrap_or_default()
}

fn fold_unit(unit: &mut Unit) -> Result<()> {
    let image = image_of(&unit.shuffle);
    let n = image.len();
    let (source_size, target_size) = (n / unit.first.0.groups(), n / unit.last.0.groups());
    let mut target_of = vec![0; n];
    image.iter().enumerate().for_each(|(target, &source)| target_of[source] = target);

    // Outputs of the first convolution by the group they go to, inputs of the last by the group they come from.
    let mut sources: Vec<usize> = (0..n).collect();
    sources.sort_by_key(|&source| (source / source_size, target_of[source] / target_size, source));
    let mut renamed = vec![0; n];
    sources.iter().enumerate().for_each(|(new, &old)| renamed[old] = new);
    let mut targets: Vec<usize> = (0..n).collect();
    targets.sort_by_key(|&target| (target / target_size, renamed[image[target]]));

    reorder_outputs(&unit.first.0.weight, &unit.first.1, &sources);
    reorder_outputs(&unit.depthwise.0.weight, &unit.depthwise.1, &targets);
    let weight = &unit.last.0.weight;
    let rows = weight.size()[0] / unit.last.0.groups() as i64;
    for group in 0..unit.last.0.groups() {
        let places: Vec<usize> =
            targets[group * target_size..][..target_size].iter().map(|target| target - group * target_size).collect();
        reorder(&weight.narrow(0, group as i64 * rows, rows), 1, &places);
    }
    let image = targets.iter().map(|&target| renamed[image[target]]).collect();
    unit.shuffle.fix(Permutation::new(image)?, weight.device());
    Ok(())
}
