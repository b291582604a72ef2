//! The theorems and formulas that the code relies on, with their proofs.
//!
//! This is `docs/mathematics.md`, beside what in the code rests on each part.
//!
//! | part | in the code |
//! | --- | --- |
//! | §2, P and its gradient | [`penalty`](crate::penalty) |
//! | T1, T2, T3 | [`certify`](crate::certificate::certify), [`Theorem`](crate::certificate::Theorem) |
//! | T4 | [`WeightSchedule`](crate::penalty::WeightSchedule) |
//! | When to harden | [`hardening`](crate::certificate::hardening) |
//! | Lower bound | [`Optimality`](crate::certificate::Optimality) |
//! | T5 | [`Objective::rounding`](crate::objective::Objective::rounding), [`Standing`](crate::certificate::Standing) |
//! | T6 | [`Injection`](crate::Injection), [`Injections`](crate::polytope::Injections) |
//! | T7 | [`chance_bounds`](crate::chance::chance_bounds) |
//! | §3 | [`GraphMatching`](crate::objective::GraphMatching), [`QuadraticAssignment`](crate::objective::QuadraticAssignment) |
//! | §4, solvers | [`FrankWolfe`](crate::solver::FrankWolfe), [`ProjectedGradient`](crate::solver::ProjectedGradient), [`SinkhornLbfgs`](crate::solver::SinkhornLbfgs) |
//! | §4, path, probes, reheating | [`recover`](crate::recovery::recover) |
//! | §4, structural starts | [`structure`](crate::structure) |
//! | §5 | [`VertexGradient`](crate::objective::VertexGradient) |
//! | §6 | [`two_layer`](crate::objective::two_layer), [`neurons`](crate::neurons) |
//! | §7 | [`sparse`](crate::sparse), [`features`](crate::features) |
//!
#![doc = include_str!("../docs/mathematics.md")]
