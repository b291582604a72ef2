//! The programs, end to end.

mod answers;
mod certify;
mod experiments;
mod neurons;
mod refusals;
mod room;
