//! Starts that know something the relaxation does not: a cost that tilts the objective.

use crate::error::{Error, Result, require_finite};
use crate::graph::Graph;
use crate::objective::Objective;
use crate::permutation::Permutation;
use crate::polytope::unit;
use crate::stop::Stop;
use crate::structure::{Kind, trusted_pairs};
use nalgebra::DMatrix;
use std::borrow::Cow;
use std::sync::OnceLock;

/// Where a path begins: at the relaxed minimizer of f, or of f with a small linear term ⟨C, X⟩ that fades along the
/// path.
///
/// The term breaks ties that the relaxation is blind to ([§4](crate::mathematics#4-solvers)). Its size does not matter
/// much: C is divided by its standard deviation, and its weight is a share of κ. It is no part of the value of an
/// answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// What reports call it.
    pub name: String,
    hint: Hint,
}

/// Whether a search asks for C again: then it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Once,
    Again,
}

/// Where C comes from.
#[derive(Debug, Clone, PartialEq)]
enum Hint {
    None,
    Cost(DMatrix<f64>),
    Structure(Structure),
}

/// What a structural cost is made of; it is made when a run first asks for it, within the run's limits.
#[derive(Debug, Clone, PartialEq)]
struct Structure {
    kind: Kind,
    graphs: (Graph, Graph),
    /// What is known.
    anchors: Vec<(usize, usize)>,
    /// What an answer taught; another answer takes its place.
    trusted: Vec<(usize, usize)>,
    cost: OnceLock<DMatrix<f64>>,
}

impl Structure {
    /// C; `None` where `stop` came first.
    fn cost(&self, asked: Asked, stop: &Stop) -> Result<Option<Cow<'_, DMatrix<f64>>>> {
        if let Some(cost) = self.cost.get() {
            return Ok(Some(Cow::Borrowed(cost)));
        }
        let anchors = [&self.anchors[..], &self.trusted].concat();
        let Some(cost) = self.kind.cost_until(&self.graphs.0, &self.graphs.1, &anchors, stop)? else { return Ok(None) };
        Ok(Some(match asked {
            Asked::Once => Cow::Owned(cost),
            Asked::Again => Cow::Borrowed(self.cost.get_or_init(|| cost)),
        }))
    }
}

impl Start {
    /// The relaxed minimizer.
    pub fn relaxed() -> Self {
        Start { name: "relaxed".to_string(), hint: Hint::None }
    }

    /// [`Start::tilted`] by what the structure of the graphs says, which can learn from an answer: where its pairs bear
    /// each other out they are anchors of the cost of the next path, though not of its permutation. The cost is
    /// computed by the search, within its limits, and kept here where that may ask for it again.
    ///
    /// # Errors
    /// As [`Kind::cost`].
    pub fn structural(kind: Kind, a: &Graph, b: &Graph, anchors: &[(usize, usize)]) -> Result<Self> {
        kind.check(a, b, anchors)?;
        let graphs = (a.clone(), b.clone());
        let (anchors, trusted) = (anchors.to_vec(), vec![]);
        let structure = Structure { kind, graphs, anchors, trusted, cost: OnceLock::new() };
        Ok(Start { name: kind.name().to_string(), hint: Hint::Structure(structure) })
    }

    /// The start with what `answer` taught it; `None` if it cannot learn.
    pub(super) fn learned(&self, answer: &Permutation) -> Option<Self> {
        let Hint::Structure(Structure { kind, graphs, anchors, .. }) = &self.hint else { return None };
        let is_free = |&(i, j): &(usize, usize)| anchors.iter().all(|&(row, column)| row != i && column != j);
        let trusted = trusted_pairs(&graphs.0, &graphs.1, answer).into_iter().filter(is_free).collect();
        let (graphs, anchors) = (graphs.clone(), anchors.clone());
        let structure = Structure { kind: *kind, graphs, anchors, trusted, cost: OnceLock::new() };
        Some(Start { name: self.name.clone(), hint: Hint::Structure(structure) })
    }

    /// The relaxed minimizer with the term ⟨C, X⟩; C may be smaller than n × n where graphs were padded.
    ///
    /// # Errors
    /// [`Error::Entry`] when an entry is not finite.
    pub fn tilted(name: impl Into<String>, cost: DMatrix<f64>) -> Result<Self> {
        let name = name.into();
        require_finite(&format!("cost of the start {name}"), &cost)?;
        Ok(Start { name, hint: Hint::Cost(cost) })
    }

    /// C with mean 0 and standard deviation κ, padded with zeros to n × n; `None` where it tells nothing, or `stop`
    /// came first.
    pub(super) fn tilt(&self, objective: &dyn Objective, asked: Asked, stop: &Stop) -> Result<Option<DMatrix<f64>>> {
        let n = objective.size();
        Ok(self.scaled_cost((n, n), objective.scale(), asked, stop)?.map(|cost| cost.resize(n, n, 0.0)))
    }

    /// C, no larger than `most`, with mean 0 and standard deviation `scale`; `None` where it tells nothing, or `stop`
    /// came first.
    pub(super) fn scaled_cost(
        &self,
        most: (usize, usize),
        scale: f64,
        asked: Asked,
        stop: &Stop,
    ) -> Result<Option<DMatrix<f64>>> {
        let cost = match &self.hint {
            Hint::None => None,
            Hint::Cost(cost) => Some(Cow::Borrowed(cost)),
            Hint::Structure(structure) => structure.cost(asked, stop)?,
        };
        let Some(cost) = cost else { return Ok(None) };
        if cost.nrows() > most.0 || cost.ncols() > most.1 {
            let (found, most) =
                (format!("{} x {}", cost.nrows(), cost.ncols()), format!("at most {} x {}", most.0, most.1));
            return Err(Error::shape(format!("cost of the start {}", self.name), most, found));
        }
        let (unit, count) = (unit(&cost), cost.len().max(1) as f64);
        let mean = cost.iter().map(|c| c / unit).sum::<f64>() / count;
        let deviation = (cost.iter().map(|c| (c / unit - mean).powi(2)).sum::<f64>() / count).sqrt();
        if deviation <= 1e-12 * (cost.amax() / unit) {
            return Ok(None);
        }
        let mut cost = cost.into_owned();
        cost.apply(|c| *c = (*c / unit - mean) * scale / deviation);
        Ok(Some(cost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::{correlated_gaussian, noisy_erdos_renyi, rng};
    use crate::objective::GraphMatching;

    /// Pairs that an earlier answer had wrong would stay for ever otherwise, and keep out the right ones.
    #[test]
    fn what_an_answer_taught_is_forgotten_for_that_of_the_next() {
        let pair = noisy_erdos_renyi(40, 4.0, 0.0, &mut rng(3, 0)).unwrap();
        let start = Start::structural(Kind::Subtrees, &pair.a, &pair.b, &[(0, pair.truth.apply(0))]).unwrap();
        let swapped = |i: usize| pair.truth.apply(if i < 20 { 19 - i } else { i });
        let wrong = Permutation::new((0..40).map(swapped).collect()).unwrap();
        let learned = start.learned(&pair.truth).unwrap();
        assert_ne!(learned, start);
        assert_eq!(start.learned(&wrong).unwrap().learned(&pair.truth).unwrap(), learned);
    }

    #[test]
    fn a_start_is_scaled_and_padded_and_may_tell_nothing() {
        let pair = correlated_gaussian(5, 0.5, &mut rng(2, 0)).unwrap();
        let f = GraphMatching::new(pair.a, pair.b).unwrap();
        let cost = DMatrix::from_row_slice(2, 2, &[1.0, 3.0, 3.0, 1.0]);
        let tilt = Start::tilted("s", cost).unwrap().tilt(&f, Asked::Once, &Stop::never()).unwrap().unwrap();
        assert_eq!((tilt[(0, 0)], tilt[(0, 1)], tilt[(4, 4)]), (-f.scale(), f.scale(), 0.0));
        assert!(
            Start::tilted("s", DMatrix::from_element(3, 3, 2.0))
                .unwrap()
                .tilt(&f, Asked::Once, &Stop::never())
                .unwrap()
                .is_none()
        );
        assert!(Start::relaxed().tilt(&f, Asked::Once, &Stop::never()).unwrap().is_none());
        assert!(
            Start::tilted("s", DMatrix::zeros(6, 6))
                .unwrap()
                .tilt(&f, Asked::Once, &Stop::never())
                .unwrap_err()
                .to_string()
                .contains("5 x 5")
        );
        let broken = Start::tilted("s", DMatrix::from_row_slice(1, 2, &[0.0, f64::NAN])).unwrap_err().to_string();
        assert!(broken.contains("(0, 1)") && broken.contains("start s"), "{broken}");
    }
}
