//! The last net: what libtorch refuses in the middle of a computation, memory above all, comes out of its binding as a panic. It
//! becomes an error like any other.

use crate::data::stream::{THREAD, message};
use birkhoff::{Error, Result};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::thread;

/// Does `work`; a panic inside is an [`Error::Breakdown`], and nothing else is said of it. For the main thread.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let default = take_hook();
    let main = thread::current().id();
    // The threads that load images report what they say by themselves.
    let is_reported = move || thread::current().id() == main || thread::current().name() == Some(THREAD);
    set_hook(Box::new(move |panic: &PanicHookInfo| {
        if !is_reported() {
            default(panic);
        }
    }));
    // Nothing of what was computed is looked at again.
    let done = catch_unwind(AssertUnwindSafe(work));
    let _ = take_hook();
    done.unwrap_or_else(|panic| Err(Error::Breakdown(cause(&message(&*panic)))))
}

/// The first line of what libtorch says, without its stack; of other panics all, for they are faults of this program.
fn cause(panic: &str) -> String {
    let Some((_, said)) = panic.split_once("Torch(\"") else { return format!("a fault of this program: {panic}") };
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
        assert!(message.contains("three is not 4"), "{message}");
        let torch = guarded(|| {
            let huge = tch::Tensor::zeros([1 << 24, 1 << 24, 3], (tch::Kind::Double, tch::Device::Cpu));
            Ok(huge.numel())
        });
        let message = torch.unwrap_err().to_string();
        assert!(message.contains("libtorch: ") && !message.contains("frame"), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
