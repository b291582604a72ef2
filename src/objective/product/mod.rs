//! The products of quadratic graph objectives, each in the [form](form) that is cheapest for its graphs.

mod arcs;
mod bits;
mod dense;
mod exchange;
mod form;
mod gram;
mod injective;
mod kept;
mod kernel;

pub(super) use exchange::Exchange;
pub(super) use gram::Gram;
pub(super) use injective::InjectiveLayer;
pub(super) use kept::KeptProduct;
