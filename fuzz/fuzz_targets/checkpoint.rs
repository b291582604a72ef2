#![no_main]
#[path = "../checkpoints.rs"]
mod checkpoints;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checkpoints::checkpoint(bytes));
