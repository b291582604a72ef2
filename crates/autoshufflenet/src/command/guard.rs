//! The last net: what libtorch refuses in the middle of a computation, memory above all, comes out of its binding as a
//! panic. It becomes an error like any other.

use crate::data::stream::{THREAD, message};
use birkhoff::{Error, Result};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Does `work`; a panic inside is an [`Error::Breakdown`], and nothing else is said of it. For the main thread.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let default = take_hook();
    let place = Arc::new(Mutex::new(String::new()));
    let (main, seen) = (thread::current().id(), place.clone());
    set_hook(Box::new(move |panic: &PanicHookInfo| {
        if thread::current().id() == main {
            let place = panic.location().map_or(String::new(), ToString::to_string);
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = place;
        } else if thread::current().name() != Some(THREAD) {
            // The threads that load images report what they say by themselves.
            default(panic);
        }
    }));
    // Nothing of what was computed is looked at again.
    let done = catch_unwind(AssertUnwindSafe(work));
    drop(take_hook());
    let place = place.lock().unwrap_or_else(PoisonError::into_inner);
    done.unwrap_or_else(|panic| Err(Error::Breakdown(cause(&message(&*panic), &place))))
}

/// The first line of what libtorch says, without its stack; other panics are faults of this program, to be found again.
fn cause(panic: &str, place: &str) -> String {
    let Some((_, said)) = panic.split_once("Torch(\"") else {
        return format!("a fault of this program, at {place}: {panic}");
    };
    let said = said.split("\\n").next().unwrap_or(said).trim_end_matches("\")").replace("\\\"", "\"");
    format!("libtorch: {said}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_one_line() {
        assert_eq!(guarded(|| Ok(7)).unwrap(), 7);
        let message = guarded(|| -> Result<()> { panic!("three is not {}", 4) }).unwrap_err().to_string();
        assert!(message.contains("guard.rs:") && message.contains("three is not 4"), "{message}");
        let torch = guarded(|| {
            let huge = tch::Tensor::zeros([1 << 24, 1 << 24, 3], (tch::Kind::Double, tch::Device::Cpu));
            Ok(huge.numel())
        });
        let message = torch.unwrap_err().to_string();
        assert!(message.contains("libtorch: ") && !message.contains("frame"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
