//! Which vertices of two large sparse graphs look alike: features of their neighbourhoods, a metric on these that
//! calibrates itself, and the nearest vertices of the other graph. O(n) memory and about O(n log n) time.
//!
//! Nothing here needs a correspondence to begin with. A graph and a thinned copy of it, whose correspondence is known,
//! tell how much noise moves each feature; what varies much between vertices and little between copies counts (linear
//! discriminant analysis without labels). See [§7](crate::mathematics#7-large-sparse-graphs).

mod balls;
mod candidates;
mod k_d_tree;
mod metric;
mod vertex_features;

pub use candidates::{Candidates, candidates};
