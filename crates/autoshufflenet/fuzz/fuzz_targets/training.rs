#![no_main]
//! A training's checkpoint, damaged or forged as the input says: refused with its name, or gone on from.

#[path = "../../../../fuzz/draws.rs"]
mod draws;
#[path = "../../tests/victim/mod.rs"]
mod victim;

use autoshufflenet::training::{Checkpoint, Training};
use autoshufflenet::weights::Weights;
use draws::Draws;
use std::cell::RefCell;
use victim::{Victim, damage, forge};

thread_local! {
    // They live as long as the process.
    static VICTIM: &'static Victim = Box::leak(Box::new(Victim::new()));
    static TRAINING: RefCell<Training<'static>> = VICTIM.with(|victim| RefCell::new(victim.training()));
}

libfuzzer_sys::fuzz_target!(|choices: &[u8]| {
    let victim = VICTIM.with(|victim| *victim);
    let Some((&first, choices)) = choices.split_first() else { return };
    let mut draws = Draws::from(choices);
    let weights = if first.is_multiple_of(2) {
        let mut bytes = victim.bytes.clone();
        damage(&mut bytes, &mut draws);
        Weights::parse(&victim.path, &bytes)
    } else {
        let mut weights = victim.weights();
        for _ in 0..=first / 2 % 3 {
            forge(&mut weights, &mut draws);
        }
        Checkpoint::seal(&mut weights).map(|()| weights)
    };
    let outcome = TRAINING.with(|training| victim.try_out(&mut training.borrow_mut(), weights));
    if let Err(error) = outcome {
        assert!(error.to_string().contains("checkpoint.safetensors"), "the file is not named: {error}");
    }
});
