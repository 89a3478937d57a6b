//! A thread that encodes and writes rows while the next ones are made.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{JoinHandle, spawn};

use super::directory::TableFile;
use super::error::Error;
use super::rows::Rows;

/// Groups of rows that may wait; whoever makes more waits too.
const WAITING: usize = 2;

/// What the thread is told.
enum Order {
    /// Write rows to one of the files.
    Write(usize, Rows),
    /// Complete every file.
    Finish,
}

/// The files of a run, and the thread that writes them.
///
/// Dropped before [`Scribe::finish`], it waits for the thread to remove what it wrote.
pub(super) struct Scribe {
    orders: Option<SyncSender<Order>>,
    /// Rows that were written, by file: emptied, to be filled again.
    spares: Vec<Receiver<Rows>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Scribe {
    /// Takes over these files; each is known by its index.
    pub fn new(files: Vec<TableFile>) -> Self {
        let (orders, inbox) = sync_channel(WAITING);
        let (returns, spares): (Vec<_>, Vec<_>) = files.iter().map(|_| channel()).unzip();
        let thread = Some(spawn(move || work(files, &inbox, &returns)));
        Self { orders: Some(orders), spares, thread }
    }

    /// Has rows written to a file, and leaves none in their place.
    pub fn write(&mut self, file: usize, rows: &mut Rows) -> Result<(), Error> {
        let spare = self.spares.get(file).and_then(|spares| spares.try_recv().ok());
        let spare = spare.unwrap_or_else(|| Rows::new(rows.table()));
        self.send(Order::Write(file, std::mem::replace(rows, spare)))
    }

    /// Completes every file.
    pub fn finish(mut self) -> Result<(), Error> {
        self.send(Order::Finish)?;
        self.end()
    }

    /// Gives an order; a thread that is gone says why.
    fn send(&mut self, order: Order) -> Result<(), Error> {
        match self.orders.as_ref().map(|orders| orders.send(order)) {
            Some(Ok(())) => Ok(()),
            _ => self.end(),
        }
    }

    /// Waits for the end of the thread.
    fn end(&mut self) -> Result<(), Error> {
        self.orders = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(()),
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.orders = None;
        // What went wrong was said, or nobody asked.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Carries orders out until the last; without one to finish, the files go.
fn work(mut files: Vec<TableFile>, orders: &Receiver<Order>, returns: &[Sender<Rows>]) -> Result<(), Error> {
    for order in orders {
        match order {
            Order::Write(at, mut rows) => {
                if let Some(file) = files.get_mut(at) {
                    file.write(&rows)?;
                }
                rows.clear();
                // Nobody may want them any more.
                let _ = returns.get(at).map(|returns| returns.send(rows));
            }
            Order::Finish => {
                for file in files {
                    file.finish()?;
                }
                return Ok(());
            }
        }
    }
    Ok(())
}
