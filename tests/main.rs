//! The library's tests, a file a subject, in one program: to link each by itself takes longer than most run.
//!
//! Programs of their own are `clock`, which looks at the clock, and `corpus` and `small_problems`, which share their
//! modules with the fuzz targets and an example.

mod architecture;
mod assignment;
mod assignment_limits;
mod chance;
mod checkpoints;
mod documents;
mod examples;
mod gradients;
mod injections;
mod io;
mod limits;
mod numbers;
mod polytope;
mod proofs;
mod properties;
mod reference;
mod search_checkpoints;
mod similarity;
mod solvers;
mod sparse;
mod starts;
mod structure;
mod targets;
mod two_layer;
mod unequal;
