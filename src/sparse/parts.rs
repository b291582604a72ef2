//! The parts of a search: those that were kept are not made again.

use super::layers::Layers;
use super::options::Options;
use crate::assignment::NONE;
use crate::checkpoint::{Keeper, Part, Task};
use crate::error::Result;
use crate::graph::Graph;
use crate::solver::Limits;
use crate::sparse_matrix::SparseMatrix;
use crate::stop::Stop;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::vec;

/// No paths of a part take more steps.
const MOST_STEPS: u64 = 1 << 32;

pub(super) struct Parts {
    keeper: Option<Arc<dyn Keeper>>,
    /// What was kept and has not been asked for.
    kept: RefCell<vec::IntoIter<Part>>,
    /// Parts that were asked for.
    count: Cell<usize>,
    stop: Stop,
}

impl Parts {
    /// Those of a search of `layers`, made until the limits' stop is reached.
    pub fn begin(layers: &Layers, options: &Options, limits: &Limits) -> Result<Self> {
        let keeper = limits.keeper.clone();
        let kept = keeper.as_ref().map_or(Ok(vec![]), |keeper| keeper.begin(task(layers, options)))?;
        Ok(Parts { keeper, kept: RefCell::new(kept.into_iter()), count: Cell::new(0), stop: limits.stop.clone() })
    }

    /// Whether nothing more is to be made. What was kept is taken all the same.
    pub fn is_stopped(&self) -> bool {
        self.kept.borrow().len() == 0 && self.stop.is_reached()
    }

    /// The next part, the first of a search or a further one: as it was kept, or else made now, and kept unless a limit
    /// cut it short. `None` where a limit came before it began.
    pub fn next(
        &self,
        layers: &Layers,
        is_first: bool,
        make: impl FnOnce() -> Result<Option<Part>>,
    ) -> Result<Option<Part>> {
        self.count.set(self.count.get() + 1);
        if let (Some(keeper), Some(part)) = (&self.keeper, self.kept.borrow_mut().next()) {
            let refuse = |cause| keeper.refuse(format!("part {}: {cause}", self.count.get()));
            return check(layers, is_first, &part).map(|()| Some(part)).map_err(refuse);
        }
        let made = make()?;
        if let (Some(keeper), Some(part)) = (&self.keeper, &made)
            && !self.stop.is_reached()
        {
            keeper.keep(part);
        }
        Ok(made)
    }

    /// The search is over.
    pub fn end(&self) -> Result<()> {
        let Some(keeper) = &self.keeper else { return Ok(()) };
        keeper.end();
        match self.kept.borrow().len() {
            0 => Ok(()),
            more => Err(keeper.refuse(format!("has {more} parts more than the search"))),
        }
    }
}

/// What decides the answer of a search.
fn task(layers: &Layers, options: &Options) -> Task {
    // Whatever is added to the options decides, too.
    let Options { penalty, rng_seed, hold_out, repeats, ref start_match } = *options;
    let numbers = |graph: &Graph| -> Vec<u64> {
        let arcs = graph.arcs().flat_map(|(i, k, weight)| [i as u64, k as u64, weight.to_bits()]);
        [graph.vertex_count() as u64].into_iter().chain(arcs).collect()
    };
    let mut task = Task::default();
    for (number, (a, b)) in layers.a.iter().zip(&layers.b).enumerate() {
        let name =
            |graph: &str| if number == 0 { graph.to_string() } else { format!("layer {} of {graph}", number + 1) };
        task = task.with_input(name("graph A"), numbers(a)).with_input(name("graph B"), numbers(b));
    }
    let similarity = layers.similarity.iter().flat_map(SparseMatrix::triples);
    let start_match = start_match.iter().flatten().map(|j| j.map_or(0, |j| j as u64 + 1));
    task.with_input("anchors", layers.anchors.iter().map(|&j| j.into()))
        .with_input("similarity", similarity.flat_map(|(i, j, s)| [i as u64, j as u64, s.to_bits()]))
        .with_input("start_match", start_match)
        .with_setting("affinity", format!("{:?}", layers.affinity).to_lowercase())
        .with_setting("penalty", penalty.name())
        .with_setting("rng_seed", rng_seed)
        .with_setting("hold_out", hold_out)
        .with_setting("repeats", repeats)
}

/// What is wrong with a part that somebody else may have written.
fn check(layers: &Layers, is_first: bool, part: &Part) -> std::result::Result<(), String> {
    let Part { partners, gain, steps, first } = part;
    let (n_a, n_b) = layers.shape();
    if partners.len() != n_a {
        return Err(format!("has {} partners for {n_a} vertices", partners.len()));
    }
    let mut is_taken = vec![false; n_b];
    for (i, (&j, &anchor)) in partners.iter().zip(&layers.anchors).enumerate() {
        if j == NONE && anchor == NONE {
            continue;
        }
        let Some(is_taken) = is_taken.get_mut(j as usize) else {
            return Err(format!("vertex {i} of A has a partner that is no vertex of B"));
        };
        if std::mem::replace(is_taken, true) {
            return Err(format!("two vertices of A have the partner {j}"));
        }
        if anchor != NONE && anchor != j {
            return Err(format!("vertex {i} of A has another partner than its anchor"));
        }
    }
    if partners.iter().filter(|&&j| j != NONE).count() < n_a.min(n_b) {
        return Err("leaves vertices of both graphs without a partner".to_string());
    }
    if *steps > MOST_STEPS || !gain.is_finite() {
        return Err(format!("{steps} steps and a gain of {gain} cannot be"));
    }
    match first {
        Some(_) if !is_first => Err("is of a first path, but a further one is due".to_string()),
        None if is_first => Err("is of a further path, but a first one is due".to_string()),
        Some(path) if path.x.shape() != (n_a, n_b) => Err(format!("X is of shape {:?}", path.x.shape())),
        Some(path) if !(0.0..=1.0).contains(&path.recall) => Err(format!("a recall of {} cannot be", path.recall)),
        _ => Ok(()),
    }
}
