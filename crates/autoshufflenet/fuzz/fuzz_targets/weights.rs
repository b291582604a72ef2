#![no_main]
//! Any bytes as a safetensors file: refused, or the same after it has been written and read again.

use autoshufflenet::weights::Weights;
use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("any.safetensors");
    let Ok(weights) = Weights::parse(path, bytes) else { return };
    let again = Weights::parse(path, &weights.serialize(path).expect("kinds that are read are written")).expect("own");
    assert_eq!(again.digest("").expect("own"), weights.digest("").expect("own"));
});
