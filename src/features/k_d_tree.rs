//! The nearest points to a point, nearly.

use super::metric::{DIMENSIONS, Point};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Points of a leaf, at most.
const LEAF: usize = 24;

/// Leaves that a search looks at, at most.
const LEAVES: usize = 80;

/// A k-d tree (Bentley 1975) of points in 16 dimensions.
pub struct KdTree {
    /// The points in the order of the leaves, and which those are.
    points: Vec<Point>,
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
    /// Cells with their squared distances, the nearest on top, numbered as in `cells`.
    queue: BinaryHeap<Reverse<Near>>,
    cells: Vec<Cell>,
    /// (squared distance, number), the farthest on top.
    found: BinaryHeap<Near>,
}

/// A node, and how far its cell is in each coordinate.
#[derive(Clone, Copy)]
struct Cell {
    node: u32,
    gaps: Point,
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
    /// O(n log n).
    pub fn new(points: &[Point]) -> Self {
        let mut numbers: Vec<u32> = (0..points.len() as u32).collect();
        let mut nodes = vec![];
        grow(points, &mut numbers, 0, &mut nodes);
        let ordered = numbers.iter().map(|&number| points[number as usize]).collect();
        KdTree { points: ordered, numbers, nodes }
    }

    /// The `count` points nearest to `to` among those in the 80 leaves whose cells are nearest, as (squared distance,
    /// number), the nearest first.
    pub fn nearest(&self, to: &Point, count: usize, scratch: &mut Scratch) -> Vec<(f32, u32)> {
        let Scratch { queue, cells, found } = scratch;
        queue.clear();
        cells.clear();
        found.clear();
        let mut leaves = 0;
        if count > 0 && !self.numbers.is_empty() {
            cells.push(Cell { node: 0, gaps: [0.0; DIMENSIONS] });
            queue.push(Reverse(Near(0.0, 0)));
        }
        while let Some(Reverse(Near(distance, cell))) = queue.pop() {
            let mut most = reach(found, count);
            if leaves == LEAVES || distance >= most {
                break;
            }
            let Cell { mut node, gaps } = cells[cell as usize];
            while let Node::Split { axis, at, right } = self.nodes[node as usize] {
                let gap = to[axis as usize] - at;
                let (near, far) = if gap <= 0.0 { (node + 1, right) } else { (right, node + 1) };
                // Arya and Mount, Proc. Data Compression Conference 1993.
                let distance = distance - gaps[axis as usize].powi(2) + gap * gap;
                if distance < most {
                    let mut gaps = gaps;
                    gaps[axis as usize] = gap;
                    queue.push(Reverse(Near(distance, cells.len() as u32)));
                    cells.push(Cell { node: far, gaps });
                }
                node = near;
            }
            let Node::Leaf { begin, end } = self.nodes[node as usize] else { continue };
            leaves += 1;
            let (begin, end) = (begin as usize, end as usize);
            for (point, &number) in self.points[begin..end].iter().zip(&self.numbers[begin..end]) {
                let near = Near(squared_distance(to, point), number);
                if near.0 > most {
                    continue;
                }
                if found.len() < count {
                    found.push(near);
                } else if let Some(mut farthest) = found.peek_mut().filter(|farthest| near < **farthest) {
                    *farthest = near;
                }
                most = reach(found, count);
            }
        }
        let mut near: Vec<(f32, u32)> = found.drain().map(|Near(distance, number)| (distance, number)).collect();
        near.sort_unstable_by(|k, l| k.0.total_cmp(&l.0).then(k.1.cmp(&l.1)));
        near
    }
}

/// The squared distance beyond which nothing is among the `count` nearest.
fn reach(found: &BinaryHeap<Near>, count: usize) -> f32 {
    found.peek().filter(|_| found.len() == count).map_or(f32::INFINITY, |farthest| farthest.0)
}

fn squared_distance(a: &Point, b: &Point) -> f32 {
    let mut sums = [0.0_f32; 8];
    for k in 0..8 {
        let (first, second) = (a[k] - b[k], a[k + 8] - b[k + 8]);
        sums[k] = first * first + second * second;
    }
    (sums[0] + sums[4]) + (sums[1] + sums[5]) + (sums[2] + sums[6]) + (sums[3] + sums[7])
}

/// Splits at the median of the widest coordinate. `first` is where `numbers` begin among all.
fn grow(points: &[Point], numbers: &mut [u32], first: u32, nodes: &mut Vec<Node>) {
    let axis = widest(points, numbers);
    let Some(axis) = axis.filter(|_| numbers.len() > LEAF) else {
        nodes.push(Node::Leaf { begin: first, end: first + numbers.len() as u32 });
        return;
    };
    let middle = numbers.len() / 2;
    let coordinate = |number: u32| points[number as usize][axis];
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
fn widest(points: &[Point], numbers: &[u32]) -> Option<usize> {
    let (mut low, mut high) = ([f32::INFINITY; DIMENSIONS], [f32::NEG_INFINITY; DIMENSIONS]);
    for &number in numbers {
        for (k, &x) in points[number as usize].iter().enumerate() {
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
            let points: Vec<Point> = (0..count).map(|_| std::array::from_fn(|_| rng.random())).collect();
            let (tree, mut scratch) = (KdTree::new(&points), Scratch::default());
            let (mut right, mut all) = (0, 0);
            for query in 0..20 {
                let to = &points[query % count];
                let distance = |number: u32| squared_distance(to, &points[number as usize]);
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
        let points = vec![[1.0; DIMENSIONS]; 100];
        let found = KdTree::new(&points).nearest(&points[0], 3, &mut Scratch::default());
        assert_eq!(found, [(0.0, 0), (0.0, 1), (0.0, 2)]);
        assert!(KdTree::new(&[]).nearest(&points[0], 3, &mut Scratch::default()).is_empty());
    }
}
