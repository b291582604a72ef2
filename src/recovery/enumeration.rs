//! Problems so small that every permutation can be looked at: the answer is the best one, and proved.

use crate::certificate::{Optimality, Standing};
use crate::error::{Error, Result};
use crate::objective::Objective;
use crate::permutation::Permutation;
use crate::polytope::Face;
use crate::stop::Stop;
use std::cmp::Ordering;

/// The most free rows: 8! = 40,320 permutations.
const MOST_ROWS: usize = 8;

/// The largest problem, anchors included, in which the value of a permutation is still a matter of a microsecond.
const LARGEST: usize = 40;

/// Whether all permutations of the face are looked at.
pub(super) fn is_small(face: &Face) -> bool {
    face.free_rows().len() <= MOST_ROWS && face.size() <= LARGEST
}

/// The best permutation of the face, the first of them in the order of Heap's algorithm, and what is proved of it.
///
/// m! values, m the number of free rows. Values that lie closer than rounding can tell are compared by [`Objective::compare_at`], and
/// the answer is proved where that decides, or where nothing is that close. `None` where `stop` comes first.
///
/// # Errors
/// [`Error::Breakdown`] when a value is not finite.
pub(super) fn enumerate(
    objective: &dyn Objective,
    face: &Face,
    stop: &Stop,
) -> Result<Option<(Permutation, Optimality)>> {
    let rounding = objective.rounding();
    let reach = |value: f64| 2.0 * rounding.map_or(0.0, |rounding| rounding.of_value(value));
    let mut best = f64::INFINITY;
    // Those whose true value may be the least.
    let mut candidates: Vec<(Permutation, f64)> = vec![];
    let mut stop = stop.asked_rarely();
    let all = for_each_vertex(face, |p| {
        if stop.is_reached() {
            return Ok(false);
        }
        let value = objective.value_at(p);
        if !value.is_finite() {
            return Err(Error::Breakdown(format!("value is {value}")));
        }
        if value < best {
            best = value;
            candidates.retain(|&(_, other)| other <= best + reach(other));
        }
        let is_exact_tie = value == best && reach(value) == 0.0 && !candidates.is_empty();
        if value <= best + reach(value) && !is_exact_tie {
            candidates.push((p.clone(), value));
        }
        Ok(true)
    })?;
    if !all {
        return Ok(None);
    }
    let mut decided = rounding.is_some();
    let least = candidates.into_iter().reduce(|least, other| match objective.compare_at(&other.0, &least.0) {
        Some(Ordering::Less) => other,
        Some(_) => least,
        None => {
            decided = false;
            if other.1 < least.1 { other } else { least }
        }
    });
    let (p, value) = least.ok_or_else(|| Error::Breakdown("no permutation has a value".to_string()))?;
    let proved = Optimality::proved(value);
    let standing = if decided { Standing::Proved } else { Standing::WithinRounding };
    Ok(Some((p, Optimality { standing, ..proved })))
}

/// All vertices of the face, each from the last by one exchange (Heap, *Permutations by interchanges*, Computer Journal 6, 1963), as long as
/// `visit` returns true. Whether it always did.
fn for_each_vertex(face: &Face, mut visit: impl FnMut(&Permutation) -> Result<bool>) -> Result<bool> {
    let rows = face.free_rows();
    let mut p = face.vertex(&(0..rows.len()).collect::<Vec<_>>());
    if !visit(&p)? {
        return Ok(false);
    }
    let (mut counters, mut level) = (vec![0; rows.len()], 1);
    while level < rows.len() {
        if counters[level] < level {
            p.swap(rows[if level % 2 == 0 { 0 } else { counters[level] }], rows[level]);
            if !visit(&p)? {
                return Ok(false);
            }
            counters[level] += 1;
            level = 1;
        } else {
            counters[level] = 0;
            level += 1;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::objective::{GraphMatching, QuadraticAssignment};
    use nalgebra::DMatrix;
    use std::collections::HashSet;

    #[test]
    fn every_vertex_of_a_face_is_visited_once() {
        for (n, anchors, count) in
            [(1, vec![], 1), (5, vec![], 120), (6, vec![(1, 4), (0, 0)], 24), (2, vec![(0, 1), (1, 0)], 1)]
        {
            let face = Face::new(n, &anchors).unwrap();
            let mut seen = HashSet::new();
            for_each_vertex(&face, |p| {
                assert!(anchors.iter().all(|&(i, j)| p.apply(i) == j));
                assert!(seen.insert(p.image().to_vec()));
                Ok(true)
            })
            .unwrap();
            assert_eq!(seen.len(), count);
        }
    }

    #[test]
    fn values_that_rounding_cannot_tell_apart_are_compared_exactly() {
        // Identity and exchange differ by 2⁻⁴⁰ beside 10²⁰.
        let a = Graph::from_matrix(&DMatrix::from_row_slice(2, 2, &[1e10, 0.1, 0.1, 1e10 + 3e-6])).unwrap();
        let b = Graph::from_matrix(&DMatrix::from_row_slice(2, 2, &[1e10, 0.3, 0.3, 1e10 + 3e-6])).unwrap();
        let face = Face::new(2, &[]).unwrap();
        let f = GraphMatching::new(a.clone(), b.clone()).unwrap();
        let (p, optimality) = enumerate(&f, &face, &Stop::never()).unwrap().unwrap();
        assert_eq!((p.image(), optimality.standing), (&[0, 1][..], Standing::Proved));
        let (p, optimality) =
            enumerate(&QuadraticAssignment::new(a, b).unwrap(), &face, &Stop::never()).unwrap().unwrap();
        assert_eq!((p.image(), optimality.standing), (&[1, 0][..], Standing::Proved));
    }
}
