//! What a recovery is asked to do.

use crate::error::{Error, Result};
use crate::penalty::{Penalty, WeightSchedule};
use crate::solver::Limits;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// How a permutation is sought. [`solver`](crate::solver) says which to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// Frank–Wolfe on f over D_n to a set gap, then rounding.
    Relaxation,
    /// The penalized path: the relaxation, then f + λP with λ growing until X is a permutation
    /// ([§4](crate::mathematics#4-solvers)).
    #[default]
    Penalized,
    /// Frank–Wolfe on the indefinite form from the barycenter, or from [`Settings::start`] (Vogelstein et al., PLoS ONE
    /// 2015).
    #[doc(alias = "fast approximate QAP")]
    Faq,
    /// The relaxation, then Frank–Wolfe on the indefinite form from its solution.
    RelaxationFaq,
    /// Projected gradient on f + λP with threshold and scaling, as in training.
    ProjectedGradient,
    /// Projected gradient on f + λP with the exact Euclidean projection.
    ProjectedGradientExact,
    /// L-BFGS over the log-parameters of Sinkhorn scaling.
    Sinkhorn,
}

impl Method {
    /// Every method, in the order of the table in [`solver`](crate::solver).
    pub const ALL: [Method; 7] = [
        Method::Relaxation,
        Method::Penalized,
        Method::Faq,
        Method::RelaxationFaq,
        Method::ProjectedGradient,
        Method::ProjectedGradientExact,
        Method::Sinkhorn,
    ];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Relaxation => "relaxation",
            Method::Penalized => "penalized",
            Method::Faq => "faq",
            Method::RelaxationFaq => "relaxation-faq",
            Method::ProjectedGradient => "projected-gradient",
            Method::ProjectedGradientExact => "projected-gradient-exact",
            Method::Sinkhorn => "sinkhorn",
        }
    }

    /// Whether graphs of very unequal size are matched without padding, by this method with this penalty: then a search
    /// takes some N·m numbers and not N².
    pub fn needs_no_padding(self, penalty: Penalty) -> bool {
        matches!(self, Method::Penalized | Method::Faq) && penalty == Penalty::L1MinusL2
    }

    pub(super) fn needs_relaxation(self) -> bool {
        matches!(self, Method::Relaxation | Method::Penalized | Method::RelaxationFaq)
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a restart begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RestartFrom {
    /// Restart r anchors the pair at the r-th largest entry of the relaxation's minimizer, relaxes again on that face,
    /// and goes on from there. One right anchor often puts the path into the right basin
    /// ([§4](crate::mathematics#4-solvers)), and a wrong one shows in the value. For the methods that begin with a
    /// convex relaxation; the others restart from random points.
    #[default]
    LikelyPairs,
    /// Restart r starts halfway between the first run's start (the relaxation's minimizer, where there is one) and a
    /// random point of the polytope.
    RandomPoints,
}

/// With or without matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Engine {
    /// Graphs of 200 vertices or more (for an [overlap](crate::Affinity::Minimum) any), at most 64 arcs a vertex and at
    /// most n²/8 arcs, with at most as many entries of a linear term, are searched without matrices first
    /// ([`sparse`](crate::sparse)). A path follows on up to 5000 vertices where the answer is doubtful, or with
    /// [`Effort::Thorough`]. The sparse search knows no starts and proves little: where it is all, the only lower bound
    /// is that of degrees and sorted weights.
    #[default]
    Auto,
    /// Matrices of n × n only.
    Dense,
    /// No matrices: memory O(n). For graph matching by the default method, with a linear term of at most 64 entries a
    /// vertex or one of [entries](crate::objective::GraphMatching::with_sparse_linear); small graphs are searched once
    /// with [`Effort::Quick`], else until three searches agree.
    Sparse,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Engine; 3] = [Engine::Auto, Engine::Dense, Engine::Sparse];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Auto => "auto",
            Engine::Dense => "dense",
            Engine::Sparse => "sparse",
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How long is searched, where there are no restarts and the method is the penalized path on a convex objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Effort {
    /// One path.
    Quick,
    /// Up to four times the iterations of the first run: all starts, then paths from what the first start learned of
    /// the answer (if it can) and reheated ones, while they improve it, then probes while it is doubtful.
    #[default]
    Default,
    /// The same without end: until the answer is no longer doubtful, or its value stands out from those of the other
    /// runs, and reheating does not improve it; or a limit comes, which without a time limit is a thousand times the
    /// iterations of the first run.
    Thorough,
}

impl Effort {
    /// Every effort, the least first.
    pub const ALL: [Effort; 3] = [Effort::Quick, Effort::Default, Effort::Thorough];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Effort::Quick => "quick",
            Effort::Default => "default",
            Effort::Thorough => "thorough",
        }
    }

    /// Iterations of all runs, in those of the first.
    pub(super) fn budget(self, limits: &Limits) -> u64 {
        match self {
            Effort::Quick => 1,
            Effort::Default => 4,
            Effort::Thorough if limits.deadline.is_some() => u64::MAX,
            Effort::Thorough => 1000,
        }
    }
}

impl std::fmt::Display for Effort {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What [`recover`](super::recover) is asked to do. The defaults are meant to be left alone.
///
/// ```
/// use birkhoff::recovery::{Effort, Settings};
/// let settings = Settings::default().with_effort(Effort::Quick).with_anchors(vec![(0, 3)]).with_time_limit(2.0);
/// assert_eq!((settings.time_limit, settings.rng_seed), (Some(2.0), 0));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Settings {
    /// The method. Default: the penalized path, which finds the hidden permutation up to the most noise
    /// (`docs/guide.md`).
    pub method: Method,
    /// With or without matrices of n × n.
    pub engine: Engine,
    /// P. Default: l1−l2, which the certificates are about.
    pub penalty: Penalty,
    /// The weights of the penalized path, in units of κ. Default: 0.005 to 5 in 25 stages; a shorter
    /// path solved fewer sparse graphs (`docs/engine.md`, *Shorter paths*).
    pub schedule: WeightSchedule,
    /// At most this many steps at each weight, at least 1. Default: 25, chosen by hand; 12 did no worse beyond chance
    /// on dense random graphs (`docs/engine.md`, *Shorter paths*).
    pub steps_per_weight: usize,
    /// At most this many Frank–Wolfe steps of the relaxation (and of FAQ). Default: 200, chosen by hand; 100 did no
    /// worse beyond chance on dense random graphs (`docs/engine.md`, *Shorter paths*).
    pub relaxation_steps: usize,
    /// The relaxation ends when its gap is at most this times κ, ≥ 0. Default: 10⁻³, chosen by hand.
    pub relaxation_gap: f64,
    /// By which share of the last gap a Frank–Wolfe vertex may be worse than the best, see
    /// [`FrankWolfe::with_vertex_tolerance`](crate::solver::FrankWolfe::with_vertex_tolerance); finite and ≥ 0, 0 for
    /// exact ones. Default: 0.2; what it saves and changes is change 8 of `docs/engine.md`.
    pub vertex_tolerance: f64,
    /// Further runs, in parallel; the best value is kept. At most 10⁶. Default: none, [`effort`](Self::effort) decides.
    pub restarts: usize,
    /// Where they start.
    pub restart_from: RestartFrom,
    /// How long is searched without restarts.
    pub effort: Effort,
    /// At most this many runs without restarts, reheated paths and probes included; none means as many as the effort
    /// pays for. At least 1.
    pub starts: Option<usize>,
    /// Seed of all that is random: the same seed gives the same answer on any number of threads.
    pub rng_seed: u64,
    /// Seconds after which the best answer so far is returned, above 0 and at most 10⁹; none means no limit.
    pub time_limit: Option<f64>,
    /// The share of B's edges that the sparse search does not see until it has an answer, to [test](crate::held_out) it
    /// by; 0 to ½, 0 for none. Default (none): 0.02 from 2000 vertices on. A search with matrices makes no such test: a
    /// share of one's own is an error there.
    pub hold_out: Option<f64>,
    /// Whether the penalized path looks ahead by Frank–Wolfe on the indefinite form, and ends early where that settles
    /// the answer; without, it is followed until X is a permutation. Default: true, which takes about half of the
    /// assignments, and leads to other values: change 12 of `docs/engine.md`.
    pub descents: bool,
    /// Whether rounded permutations are improved by [`swap_descent`](crate::local_search::swap_descent), and those of
    /// penalized paths on sparse graphs by [`anneal`](crate::local_search::anneal), unless the effort is
    /// [`Effort::Quick`].
    pub polish: bool,
    /// Known correspondences (vertex of A, vertex of B), kept fixed; each row and column below n once at most.
    #[serde(skip)]
    pub anchors: Vec<(usize, usize)>,
    /// A matching to begin with (vertex of A, vertex of B), as an earlier answer, each vertex once at most; need not be
    /// complete. The sparse search begins at it; beside paths with matrices it is a run of its own. No answer is worse
    /// than what local search makes of it.
    #[serde(skip)]
    pub start_match: Vec<(usize, usize)>,
    /// A start of the user's own, n × n on the anchors' face of D_n; none means the barycenter.
    #[serde(skip)]
    pub start: Option<DMatrix<f64>>,
}

/// The most restarts.
const MOST_RESTARTS: usize = 1_000_000;

/// The longest time limit, in seconds: some thirty years.
const LONGEST: f64 = 1e9;

impl Default for Settings {
    fn default() -> Self {
        Settings {
            method: Method::default(),
            engine: Engine::default(),
            penalty: Penalty::default(),
            schedule: WeightSchedule::default(),
            steps_per_weight: 25,
            relaxation_steps: 200,
            relaxation_gap: 1e-3,
            vertex_tolerance: 0.2,
            restarts: 0,
            restart_from: RestartFrom::default(),
            effort: Effort::default(),
            starts: None,
            rng_seed: 0,
            time_limit: None,
            hold_out: None,
            descents: true,
            polish: true,
            anchors: Vec::new(),
            start_match: Vec::new(),
            start: None,
        }
    }
}

/// `self` with another value of a field.
macro_rules! setters {
    ($($with:ident $field:ident: $type:ty;)*) => {
        impl Settings {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Settings::", stringify!($field), ").")]
                pub fn $with(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

setters! {
    with_method method: Method;
    with_engine engine: Engine;
    with_penalty penalty: Penalty;
    with_schedule schedule: WeightSchedule;
    with_steps_per_weight steps_per_weight: usize;
    with_relaxation_steps relaxation_steps: usize;
    with_relaxation_gap relaxation_gap: f64;
    with_vertex_tolerance vertex_tolerance: f64;
    with_restarts restarts: usize;
    with_restart_from restart_from: RestartFrom;
    with_effort effort: Effort;
    with_rng_seed rng_seed: u64;
    with_descents descents: bool;
    with_polish polish: bool;
    with_anchors anchors: Vec<(usize, usize)>;
    with_start_match start_match: Vec<(usize, usize)>;
}

impl Settings {
    /// The defaults with another method.
    pub fn of(method: Method) -> Self {
        Settings { method, ..Settings::default() }
    }

    /// At most so many runs without restarts, [`None`] for as many as the effort pays for.
    pub fn with_starts(mut self, starts: impl Into<Option<usize>>) -> Self {
        self.starts = starts.into();
        self
    }

    /// At most so many seconds, [`None`] for no limit.
    pub fn with_time_limit(mut self, seconds: impl Into<Option<f64>>) -> Self {
        self.time_limit = seconds.into();
        self
    }

    /// Hides such a share, [`None`] for what suits the graphs' size.
    pub fn with_hold_out(mut self, share: impl Into<Option<f64>>) -> Self {
        self.hold_out = share.into();
        self
    }

    /// Starts at X, [`None`] for the barycenter.
    pub fn with_start(mut self, x: impl Into<Option<DMatrix<f64>>>) -> Self {
        self.start = x.into();
        self
    }

    pub(super) fn validate(&self) -> Result<()> {
        let WeightSchedule { first, last, stages } = self.schedule;
        let most = WeightSchedule::MOST_STAGES;
        if !(first > 0.0 && last >= first && last.is_finite() && (1..=most).contains(&stages)) {
            return Err(Error::argument(
                "schedule",
                format!("needs 0 < first <= last and 1 to {most} stages, not {first}, {last}, {stages}"),
            ));
        }
        if self.restarts > MOST_RESTARTS {
            return Err(Error::argument("restarts", format!("are {}, but at most {MOST_RESTARTS}", self.restarts)));
        }
        if self.starts == Some(0) {
            return Err(Error::argument("starts", "is 0, but a first run is always made"));
        }
        if self.steps_per_weight == 0 {
            return Err(Error::argument("steps_per_weight", "is 0"));
        }
        if self.relaxation_gap.is_nan() || self.relaxation_gap < 0.0 {
            return Err(Error::argument("relaxation_gap", format!("is {}, but must be >= 0", self.relaxation_gap)));
        }
        if !(0.0..f64::INFINITY).contains(&self.vertex_tolerance) {
            let given = self.vertex_tolerance;
            return Err(Error::argument("vertex_tolerance", format!("is {given}, but must be finite and >= 0")));
        }
        if self.hold_out.is_some_and(|share| !(0.0..=0.5).contains(&share)) {
            return Err(Error::argument("hold_out", "must be a share of the edges, 0 to 0.5"));
        }
        if self.time_limit.is_some_and(|seconds| !(seconds > 0.0 && seconds <= LONGEST)) {
            return Err(Error::argument(
                "time_limit",
                format!("must be a number of seconds above 0, at most {LONGEST:e}"),
            ));
        }
        Ok(())
    }
}
