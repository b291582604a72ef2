//! Ctrl-C: the first asks the search to end with its best so far, the second ends the program.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The flag that the first Ctrl-C (or SIGTERM) sets; the second exits with code 130, as shells expect.
///
/// Where no handler can be set, Ctrl-C just ends the program as ever.
pub(super) fn flag() -> Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let install = || {
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        let _ = ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            let _ = writeln!(std::io::stderr(), "interrupted: finishing with the best so far; again to leave at once");
        });
        flag
    };
    FLAG.get_or_init(install).clone()
}
