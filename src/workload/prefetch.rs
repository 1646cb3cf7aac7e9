//! Reads ahead in a thread of its own: the calls, their order and their bytes stay the same.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{Arrivals, Batch, WorkloadError};

/// Batches in flight between the threads.
const DEPTH: usize = 4;

type Sent = Result<(Batch, f64), WorkloadError>;
type Notes = Vec<(String, String)>;
type Inputs = Vec<(PathBuf, String)>;

/// Runs another source in a thread of its own.
pub struct Prefetch {
    full: Option<Receiver<Sent>>,
    empty: SyncSender<Batch>,
    thread: Option<JoinHandle<(Notes, Inputs)>>,
    progress: f64,
    ended: (Notes, Inputs),
}

impl Prefetch {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system allows no further thread.
    pub fn start(mut source: Box<dyn Arrivals>) -> std::io::Result<Self> {
        let (send_full, full) = sync_channel::<Sent>(DEPTH);
        let (empty, take_empty) = sync_channel::<Batch>(DEPTH + 2);
        let thread = std::thread::Builder::new().name("workload".to_owned()).spawn(move || {
            loop {
                let mut batch = take_empty.try_recv().unwrap_or_default();
                let sent = source.next_batch(&mut batch).map(|()| (batch, source.progress()));
                let last = !matches!(&sent, Ok((batch, _)) if !batch.calls.is_empty());
                // The other side is gone if the run stopped early; then there is nothing left to do.
                if send_full.send(sent).is_err() || last {
                    return (source.notes(), source.inputs());
                }
            }
        })?;
        Ok(Self { full: Some(full), empty, thread: Some(thread), progress: 0.0, ended: Default::default() })
    }

    fn join(&mut self) {
        self.full = None;
        if let Some(thread) = self.thread.take() {
            match thread.join() {
                Ok(ended) => self.ended = ended,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    }
}

impl Arrivals for Prefetch {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), WorkloadError> {
        let Some(full) = &self.full else {
            batch.clear();
            return Ok(());
        };
        match full.recv() {
            Ok(Ok((mut next, progress))) => {
                std::mem::swap(batch, &mut next);
                self.progress = progress;
                next.clear();
                // A full return channel only means that the thread makes a new batch.
                let _ = self.empty.try_send(next);
                if batch.calls.is_empty() {
                    self.join();
                }
                Ok(())
            }
            Ok(Err(error)) => {
                self.join();
                Err(error)
            }
            Err(_) => {
                self.join();
                batch.clear();
                Ok(())
            }
        }
    }

    fn progress(&self) -> f64 {
        self.progress
    }

    fn notes(&self) -> Notes {
        self.ended.0.clone()
    }

    fn inputs(&self) -> Inputs {
        self.ended.1.clone()
    }

    fn finish(&mut self) {
        self.join();
    }
}
