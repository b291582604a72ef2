//! Problems so small that every permutation can be looked at: the answer is the best one, and proved.

use crate::certificate::{Optimality, Standing};
use crate::error::{Error, Result};
use crate::injection::Injection;
use crate::objective::{Injective, Objective};
use crate::permutation::Permutation;
use crate::polytope::{Face, Injections};
use crate::stop::Stop;
use std::cmp::Ordering;

/// The most free rows: 8! = 40,320 permutations.
const MOST_ROWS: usize = 8;

/// The largest problem, anchors included, in which the value of a permutation is still a matter of a microsecond.
const LARGEST: usize = 40;

/// As many entries of permutations are looked at at most.
const MOST_ENTRIES: f64 = 40_320.0 * LARGEST as f64;

/// Whether all injections of the face are looked at.
pub(super) fn are_few(face: &Injections) -> bool {
    let (vertices, places) = (face.free_vertices().len(), face.free_places().len());
    let count: f64 = (places - vertices + 1..=places).map(|left| left as f64).product();
    count * face.shape().0 as f64 <= MOST_ENTRIES
}

/// Whether all permutations of the face are looked at.
pub(super) fn is_small(face: &Face) -> bool {
    face.free_rows().len() <= MOST_ROWS && face.size() <= LARGEST
}

/// The best permutation of the face, the first of them in the order of Heap's algorithm, and what is proved of it.
///
/// m! values, m the number of free rows. Values that lie closer than rounding can tell are compared by
/// [`Objective::compare_at`], and the answer is proved where that decides, or where nothing is that close. `None` where
/// `stop` comes first.
///
/// # Errors
/// [`Error::Breakdown`] when a value is not finite.
pub(super) fn enumerate(
    objective: &dyn Objective,
    face: &Face,
    stop: &Stop,
) -> Result<Option<(Permutation, Optimality)>> {
    best_of(objective, |visit| for_each_vertex(face, visit), stop)
}

/// The same over the injections of the face, as permutations.
pub(super) fn enumerate_injections(
    objective: &dyn Objective,
    form: &dyn Injective,
    face: &Injections,
    stop: &Stop,
) -> Result<Option<(Permutation, Optimality)>> {
    let all = |visit: &mut Visit| for_each_injection(face, &mut |p| visit(&form.permutation(p)));
    best_of(objective, all, stop)
}

/// Whether p, with its value, is better than q.
pub(super) fn is_better(objective: &dyn Objective, p: (&Permutation, f64), q: (&Permutation, f64)) -> bool {
    match objective.compare_at(p.0, q.0) {
        Some(order) => order == Ordering::Less,
        None => p.1 < q.1,
    }
}

/// Asked for every permutation whether to go on.
type Visit<'a> = dyn FnMut(&Permutation) -> Result<bool> + 'a;

fn best_of(
    objective: &dyn Objective,
    for_each: impl FnOnce(&mut Visit) -> Result<bool>,
    stop: &Stop,
) -> Result<Option<(Permutation, Optimality)>> {
    let rounding = objective.rounding();
    let reach = |value: f64| 2.0 * rounding.map_or(0.0, |rounding| rounding.of_value(value));
    let mut best = f64::INFINITY;
    // Those whose true value may be the least.
    let mut candidates: Vec<(Permutation, f64)> = vec![];
    let mut stop = stop.asked_rarely();
    let all = for_each(&mut |p| {
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

/// All vertices of the face, each from the last by one exchange (Heap, *Permutations by interchanges*, Computer Journal
/// 6, 1963), as long as `visit` returns true. Whether it always did.
fn for_each_vertex(face: &Face, visit: &mut Visit) -> Result<bool> {
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

/// All injections of the face, in lexicographic order, as long as `visit` returns true. Whether it always did.
fn for_each_injection(face: &Injections, visit: &mut dyn FnMut(&Injection) -> Result<bool>) -> Result<bool> {
    fn extend(
        face: &Injections,
        (image, is_free): (&mut [usize], &mut [bool]),
        placed: usize,
        visit: &mut dyn FnMut(&Injection) -> Result<bool>,
    ) -> Result<bool> {
        let Some(&i) = face.free_vertices().get(placed) else {
            return visit(&Injection::new(image.to_vec(), is_free.len())?);
        };
        for &j in face.free_places() {
            if std::mem::take(&mut is_free[j]) {
                image[i] = j;
                if !extend(face, (image, is_free), placed + 1, visit)? {
                    return Ok(false);
                }
                is_free[j] = true;
            }
        }
        Ok(true)
    }
    let (places, vertices) = face.shape();
    let mut image = vec![0; vertices];
    face.anchors().iter().for_each(|&(i, j)| image[i] = j);
    extend(face, (&mut image, &mut vec![true; places]), 0, visit)
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
            for_each_vertex(&face, &mut |p| {
                assert!(anchors.iter().all(|&(i, j)| p.apply(i) == j));
                assert!(seen.insert(p.image().to_vec()));
                Ok(true)
            })
            .unwrap();
            assert_eq!(seen.len(), count);
        }
    }

    #[test]
    fn every_injection_of_a_face_is_visited_once() {
        for (m, n, anchors, count) in
            [(1, 4, vec![], 4), (3, 6, vec![], 120), (3, 6, vec![(1, 4)], 20), (1, 2, vec![(0, 1)], 1)]
        {
            let face = Injections::new(m, n, &anchors).unwrap();
            assert!(are_few(&face));
            let mut seen = HashSet::new();
            for_each_injection(&face, &mut |p| {
                assert!(anchors.iter().all(|&(i, j)| p.apply(i) == j));
                assert!(seen.insert(p.image().to_vec()));
                Ok(true)
            })
            .unwrap();
            assert_eq!(seen.len(), count);
        }
        assert!(are_few(&Injections::new(4, 15, &[]).unwrap()));
        assert!(!are_few(&Injections::new(5, 3000, &[]).unwrap()) && !are_few(&Injections::new(1, 3000, &[]).unwrap()));
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
