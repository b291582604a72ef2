//! The nearest points to a point, nearly.

use super::metric::DIMENSIONS;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Points of a leaf, at most.
const LEAF: usize = 24;

/// Leaves that a search looks at, at most.
const LEAVES: usize = 150;

/// A k-d tree (Bentley 1975) of points in 16 dimensions.
pub struct KdTree {
    /// The points in the order of the leaves, and which those are.
    points: Vec<f32>,
    numbers: Vec<u32>,
    nodes: Vec<Node>,
}

enum Node {
    Leaf {
        begin: u32,
        end: u32,
    },
    /// Points left have a smaller coordinate, or the same. The left child is the next node.
    Split {
        axis: u8,
        at: f32,
        right: u32,
    },
}

/// What a search uses again and again.
#[derive(Default)]
pub struct Scratch {
    /// Nodes with lower bounds of squared distances, the nearest on top.
    queue: BinaryHeap<Reverse<Near>>,
    /// (squared distance, number), the farthest on top.
    found: BinaryHeap<Near>,
}

/// A squared distance, and the number of what is so far.
#[derive(Clone, Copy, PartialEq)]
struct Near(f32, u32);

impl Eq for Near {}
impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

impl KdTree {
    /// Of points of 16 coordinates each, one after another. O(n log n).
    pub fn new(points: &[f32]) -> Self {
        let count = points.len() / DIMENSIONS;
        let mut numbers: Vec<u32> = (0..count as u32).collect();
        let mut nodes = vec![];
        grow(points, &mut numbers, 0, &mut nodes);
        let ordered = numbers.iter().flat_map(|&number| point(points, number)).copied().collect();
        KdTree { points: ordered, numbers, nodes }
    }

    /// The `count` points nearest to `to` among those in the 150 leaves whose cells are nearest, as (squared distance,
    /// number), the nearest first.
    pub fn nearest(&self, to: &[f32], count: usize, scratch: &mut Scratch) -> Vec<(f32, u32)> {
        let Scratch { queue, found } = scratch;
        queue.clear();
        found.clear();
        let mut leaves = 0;
        if count > 0 && !self.numbers.is_empty() {
            queue.push(Reverse(Near(0.0, 0)));
        }
        while let Some(Reverse(Near(distance, mut node))) = queue.pop() {
            let is_full = found.len() == count;
            if leaves == LEAVES || (is_full && found.peek().is_some_and(|farthest| distance >= farthest.0)) {
                break;
            }
            loop {
                match self.nodes[node as usize] {
                    Node::Split { axis, at, right } => {
                        let gap = to[axis as usize] - at;
                        let (near, far) = if gap <= 0.0 { (node + 1, right) } else { (right, node + 1) };
                        // A lower bound: the cell lies beyond this plane, and beyond the nearest of the others.
                        queue.push(Reverse(Near(distance.max(gap * gap), far)));
                        node = near;
                    }
                    Node::Leaf { begin, end } => {
                        leaves += 1;
                        for place in begin..end {
                            let near =
                                Near(squared_distance(to, point(&self.points, place)), self.numbers[place as usize]);
                            if found.len() < count {
                                found.push(near);
                            } else if found.peek().is_some_and(|farthest| near < *farthest) {
                                found.pop();
                                found.push(near);
                            }
                        }
                        break;
                    }
                }
            }
        }
        let mut near: Vec<(f32, u32)> = found.drain().map(|Near(distance, number)| (distance, number)).collect();
        near.sort_unstable_by(|k, l| k.0.total_cmp(&l.0).then(k.1.cmp(&l.1)));
        near
    }
}

fn point(points: &[f32], number: u32) -> &[f32] {
    &points[number as usize * DIMENSIONS..][..DIMENSIONS]
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let (mut sums, a, b) = ([0.0_f32; 8], a.chunks_exact(8), b.chunks_exact(8));
    for (a, b) in a.zip(b) {
        for k in 0..8 {
            sums[k] += (a[k] - b[k]) * (a[k] - b[k]);
        }
    }
    sums.iter().sum()
}

/// Splits at the median of the widest coordinate. `first` is where `numbers` begin among all.
fn grow(points: &[f32], numbers: &mut [u32], first: u32, nodes: &mut Vec<Node>) {
    let axis = widest(points, numbers);
    let Some(axis) = axis.filter(|_| numbers.len() > LEAF) else {
        nodes.push(Node::Leaf { begin: first, end: first + numbers.len() as u32 });
        return;
    };
    let middle = numbers.len() / 2;
    let coordinate = |number: u32| point(points, number)[axis];
    numbers.select_nth_unstable_by(middle, |&k, &l| coordinate(k).total_cmp(&coordinate(l)).then(k.cmp(&l)));
    let (left, right) = numbers.split_at_mut(middle);
    let here = nodes.len();
    nodes.push(Node::Leaf { begin: 0, end: 0 });
    let at = coordinate(right[0]);
    grow(points, left, first, nodes);
    let begin = nodes.len() as u32;
    grow(points, right, first + middle as u32, nodes);
    nodes[here] = Node::Split { axis: axis as u8, at, right: begin };
}

/// The axis on which points spread most; `None` if they are all one.
fn widest(points: &[f32], numbers: &[u32]) -> Option<usize> {
    let (mut low, mut high) = ([f32::INFINITY; DIMENSIONS], [f32::NEG_INFINITY; DIMENSIONS]);
    for &number in numbers {
        for (k, &x) in point(points, number).iter().enumerate() {
            (low[k], high[k]) = (low[k].min(x), high[k].max(x));
        }
    }
    let spread = |axis: usize| high[axis] - low[axis];
    (0..DIMENSIONS).max_by(|&k, &l| spread(k).total_cmp(&spread(l))).filter(|&axis| spread(axis) > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::rng;
    use rand::RngExt;

    #[test]
    fn few_points_are_searched_to_the_end_and_many_nearly() {
        for (count, least) in [(10, 1.0), (500, 1.0), (20_000, 0.6)] {
            let mut rng = rng(3, count as u64);
            let points: Vec<f32> = (0..count * DIMENSIONS).map(|_| rng.random()).collect();
            let (tree, mut scratch) = (KdTree::new(&points), Scratch::default());
            let (mut right, mut all) = (0, 0);
            for query in 0..20 {
                let to = point(&points, query % count as u32);
                let distance = |number: u32| squared_distance(to, point(&points, number));
                let mut numbers: Vec<u32> = (0..count as u32).collect();
                numbers.sort_by(|&k, &l| distance(k).total_cmp(&distance(l)));
                let found = tree.nearest(to, 8, &mut scratch);
                assert_eq!(found.len(), 8);
                assert!(found.is_sorted_by(|k, l| k.0 <= l.0));
                right += found.iter().filter(|found| numbers[..8].contains(&found.1)).count();
                all += 8;
            }
            assert!(right as f64 >= least * f64::from(all), "{right} of {all} among {count}");
        }
    }

    #[test]
    fn points_that_are_all_one_make_one_leaf() {
        let points = vec![1.0; 100 * DIMENSIONS];
        let found = KdTree::new(&points).nearest(&points[..DIMENSIONS], 3, &mut Scratch::default());
        assert_eq!(found, [(0.0, 0), (0.0, 1), (0.0, 2)]);
        assert!(KdTree::new(&[]).nearest(&points[..DIMENSIONS], 3, &mut Scratch::default()).is_empty());
    }
}
