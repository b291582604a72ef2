//! The program `graph_matching`, end to end.

mod answers;
mod experiments;
mod refusals;
mod room;
