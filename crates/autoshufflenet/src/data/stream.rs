//! Items that threads make ahead, in order; a thread that ends too early is an error, never an end.

use birkhoff::{Error, Result};
use std::any::Any;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Builder, JoinHandle};

/// Name of the threads.
pub(crate) const THREAD: &str = "images";

/// `count` items; see [`in_order`].
#[derive(Debug)]
pub(super) struct Stream<T> {
    workers: Vec<Worker<T>>,
    made: usize,
    count: usize,
}

#[derive(Debug)]
struct Worker<T> {
    receiver: Receiver<T>,
    thread: Option<JoinHandle<()>>,
}

/// `make(0)` to `make(count − 1)`. Item i is made by worker i mod `workers`, and waits in that worker's channel: the
/// order does not depend on the threads, and at most workers·(ahead + 1) items are in memory.
///
/// # Errors
/// [`Error::Breakdown`] when the system has no thread left.
pub(super) fn in_order<T: Send + 'static>(
    count: usize,
    workers: usize,
    ahead: usize,
    make: impl Fn(usize) -> T + Send + Sync + 'static,
) -> Result<Stream<T>> {
    let make = Arc::new(make);
    let start = |worker| {
        let (sender, receiver) = sync_channel(ahead);
        let make = make.clone();
        // Who wants no more items drops the receiver, and the thread ends at its next one.
        let work = move || (worker..count).step_by(workers).try_for_each(|item| sender.send(make(item))).unwrap_or(());
        let thread = Builder::new().name(THREAD.to_string()).spawn(work);
        let thread = thread.map_err(|error| Error::Breakdown(format!("no thread can load images: {error}")))?;
        Ok(Worker { receiver, thread: Some(thread) })
    };
    Ok(Stream { workers: (0..workers.min(count)).map(start).collect::<Result<_>>()?, made: 0, count })
}

impl<T> Iterator for Stream<T> {
    type Item = Result<T>;

    /// [`Error::Breakdown`] with what a thread that panicked has said; nothing comes after it.
    fn next(&mut self) -> Option<Result<T>> {
        if self.made == self.count {
            return None;
        }
        let workers = self.workers.len();
        let worker = &mut self.workers[self.made % workers];
        match worker.receiver.recv() {
            Ok(item) => {
                self.made += 1;
                Some(Ok(item))
            }
            Err(_) => {
                self.made = self.count;
                let said = worker.thread.take().and_then(|thread| thread.join().err()).map(|panic| message(&*panic));
                let said = said.unwrap_or_else(|| "it gave no reason".to_string());
                Some(Err(Error::Breakdown(format!("a thread that loads images ended: {said}"))))
            }
        }
    }
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it gave no reason".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_in_order_from_any_number_of_threads() {
        for (workers, ahead) in [(1, 1), (3, 2), (40, 5)] {
            let items: Vec<usize> =
                in_order(25, workers, ahead, |item| item * item).unwrap().map(|i| i.unwrap()).collect();
            assert!(items.iter().copied().eq((0..25).map(|item| item * item)));
        }
        assert!(in_order(0, 2, 1, |item| item).unwrap().next().is_none());
    }

    #[test]
    fn a_thread_that_panics_is_one_error_in_its_place_and_no_end() {
        let stream = in_order(9, 2, 1, |item| {
            assert!(item != 5, "image 5 is on fire");
            item
        });
        let items: Vec<Result<usize>> = stream.unwrap().collect();
        assert_eq!(items.len(), 6, "{items:?}");
        assert!(items[..5].iter().enumerate().all(|(place, item)| *item.as_ref().unwrap() == place));
        let message = items[5].as_ref().unwrap_err().to_string();
        assert!(message.contains("loads images") && message.contains("on fire"), "{message}");
    }

    #[test]
    fn threads_end_when_nobody_wants_their_items() {
        let alive = Arc::new(());
        let held = alive.clone();
        let mut stream = in_order(1_000_000, 3, 2, move |item| (item, Arc::strong_count(&held))).unwrap();
        assert_eq!(stream.next().unwrap().unwrap().0, 0);
        let threads: Vec<_> = stream.workers.iter_mut().map(|worker| worker.thread.take().unwrap()).collect();
        drop(stream);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
