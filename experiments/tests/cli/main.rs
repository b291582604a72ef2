//! The programs, end to end.

mod answers;
mod certify;
mod checkpoints;
mod experiments;
mod files;
mod folders;
mod manual;
mod neurons;
mod places;
mod refusals;
mod room;
mod similarities;
