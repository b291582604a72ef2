//! Matching of large sparse graphs: everything in rows of few entries, so that memory is O(n) and time about O(n·d²).
//!
//! Vertices that look alike ([`features`](crate::features)) make a sparse start. Frank–Wolfe on the indefinite form is
//! exact on a support that grows where votes want it: the votes AXBᵀ of a sparse X are sparse, and an entry that nobody
//! votes for is 0. Rows may stay without a partner, so graphs of unequal size need no padding. Then the answer is
//! polished by its own votes, annealed by exchanges that each gain an edge for certain, grown again from where it is
//! sure, and its regions are relocated by chains of exchanges. Where that mended much, paths on the convex form with
//! the exact penalty go on from there.

mod ascent;
mod chain;
mod confidence;
mod consensus;
mod convex;
mod crossover;
mod exploration;
mod finish;
mod hiding;
mod indefinite;
mod layers;
mod marks;
mod matching;
mod options;
mod parts;
mod path;
mod polish;
mod search;
mod similarity;
mod similarity_descent;
mod start;
mod vote_descent;
mod votes;
mod walk;
mod walker;

pub use layers::Layers;
pub use options::Options;
pub use search::{Answer, search};
