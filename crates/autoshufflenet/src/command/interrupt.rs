//! Ctrl-C: the first saves and leaves, the second leaves at once.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The flag that the first Ctrl-C (or SIGTERM) sets.
pub(super) fn flag() -> &'static AtomicBool {
    // Where no handler can be set, Ctrl-C just ends the program as ever.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        let _ = writeln!(std::io::stderr(), "interrupted: saving after this step; again to leave at once");
    });
    &INTERRUPTED
}
