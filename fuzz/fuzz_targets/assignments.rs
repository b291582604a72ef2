#![no_main]
#[path = "../assignments.rs"]
mod assignments;
#[path = "../draws.rs"]
mod draws;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| assignments::assignments(bytes));
