//! Permutations, recovered by continuous optimization.
//!
//! The unknown is a permutation matrix X; its convex hull is the Birkhoff polytope D_n = {X ≥ 0, X1 = 1, Xᵀ1 = 1}. An
//! objective f, such as ‖AX − XB‖²_F for two graphs, is minimized over D_n together with the exact penalty of
//! AutoShuffleNet (Lyu, Zhang, Qi, Xin, KDD 2020, arXiv 1901.08624),
//!
//! P(X) = Σ_i (‖X_i:‖₁ − ‖X_i:‖₂) + Σ_j (‖X_:j‖₁ − ‖X_:j‖₂),
//!
//! which is zero exactly at the permutations. Along a path of growing weight λ, minimizers of f + λP move from the
//! convex relaxation's solution to a permutation, which is then certified: how near X was to it (T1–T3), and how far
//! from optimal it can be at most. [`mathematics`] has the theorems and their proofs.
//!
//! | symbol | meaning | in the code |
//! | --- | --- | --- |
//! | n | size | `n` |
//! | X | doubly stochastic iterate, n × n | `x` |
//! | p, Π | permutation, its matrix | [`Permutation`], `to_matrix` |
//! | f, ∇f | objective | [`objective::Objective`] |
//! | P, λ | penalty and its weight | [`penalty::Penalty`], `weight` |
//! | κ | unit of the weight, ‖A‖_F‖B‖_F/n | [`objective::Objective::scale`] |
//! | Q | vertex that minimizes a linear function | [`polytope::lmo`] |
//! | ⟨∇f(X), X − Q⟩ | Frank–Wolfe gap | `gap` |
//!
//! Start at [`recovery::recover`]; [`solver`] says which method to choose. In the repository,
//! `examples/match_two_graphs.rs` reads two files and matches them, and `examples/own_objective.rs` minimizes a
//! function of its own. [`objective::two_layer`] has permutations in neural networks, [`neurons`] aligns the units of
//! two of them, and [`certificate::hardening`] says when to round in training.
//!
//! ```
//! use birkhoff::instance::{correlated_erdos_renyi, rng};
//! use birkhoff::objective::GraphMatching;
//! use birkhoff::recovery::{Settings, recover};
//! let pair = correlated_erdos_renyi(40, 0.5, 0.9, &mut rng(1, 0))?;
//! let answer = recover(&GraphMatching::new(pair.a, pair.b)?, &Settings::default())?;
//! assert_eq!(answer.permutation, pair.truth);
//! # Ok::<(), birkhoff::Error>(())
//! ```
#![deny(missing_docs)]
#![deny(unsafe_code)]
// What a user gives is never unwrapped, and the library prints nothing by itself.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr))]

mod anchors;
pub mod assignment;
pub mod certificate;
pub mod chance;
pub mod checkpoint;
mod columns;
pub mod error;
mod exact;
pub mod features;
pub mod graph;
pub mod held_out;
pub mod injection;
pub mod instance;
pub mod io;
pub mod local_search;
pub mod mathematics;
pub mod neurons;
pub mod objective;
pub mod penalty;
pub mod permutation;
pub mod polytope;
pub mod recovery;
pub mod score;
pub mod solver;
pub mod sparse;
mod sparse_form;
pub mod sparse_matrix;
pub mod stop;
pub mod structure;
mod vector_unit;

pub use assignment::{Assignment, AssignmentSolver, RectangularAssignment};
pub use error::{Error, Result};
pub use graph::Graph;
pub use injection::Injection;
pub use permutation::Permutation;
pub use sparse_form::{Affinity, SparseForm};
pub use sparse_matrix::SparseMatrix;
pub use stop::Stop;

/// The README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
