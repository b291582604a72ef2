#![no_main]
#[path = "../draws.rs"]
mod draws;
#[path = "../../examples/small_problems/enumeration.rs"]
mod enumeration;
#[path = "../../examples/small_problems/exact.rs"]
mod exact;
#[allow(dead_code, reason = "the program uses more of it")]
#[path = "../../examples/small_problems/judge.rs"]
mod judge;
#[path = "../../examples/small_problems/problem.rs"]
mod problem;
#[path = "../recoveries.rs"]
mod recoveries;
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recoveries::recovery(bytes));
