//! The programs, end to end.

mod answers;
mod certify;
mod experiments;
mod folders;
mod files;
mod neurons;
mod places;
mod refusals;
mod room;
