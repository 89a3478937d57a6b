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
    /// Leave none.
    Stop,
}

/// The thread is gone; [`Scribe::end`] says why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

/// A way to one of the files.
pub(super) struct Desk {
    file: usize,
    orders: SyncSender<Order>,
    /// Rows that were written: emptied, to be filled again.
    spares: Receiver<Rows>,
}

impl Desk {
    /// Has rows written, and leaves none in their place.
    pub fn write(&self, rows: &mut Rows) -> Result<(), Gone> {
        let spare = self.spares.try_recv().unwrap_or_else(|_| Rows::new(rows.table()));
        let full = std::mem::replace(rows, spare);
        self.orders.send(Order::Write(self.file, full)).map_err(|_| Gone)
    }
}

/// The files of a run, and the thread that writes them.
///
/// Dropped before [`Scribe::finish`], it waits for the thread to remove what it wrote.
pub(super) struct Scribe {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Scribe {
    /// Takes over these files; each has its desk.
    pub fn new(files: Vec<TableFile>) -> (Self, Vec<Desk>) {
        let (orders, inbox) = sync_channel(WAITING);
        let desk = |file| {
            let (returns, spares) = channel();
            (returns, Desk { file, orders: orders.clone(), spares })
        };
        let (returns, desks): (Vec<_>, Vec<_>) = (0..files.len()).map(desk).unzip();
        let thread = Some(spawn(move || work(files, &inbox, &returns)));
        (Self { orders: Some(orders), thread }, desks)
    }

    /// Completes every file.
    pub fn finish(mut self) -> Result<(), Error> {
        if let Some(orders) = self.orders.take() {
            // A thread that is gone has left its reason.
            let _ = orders.send(Order::Finish);
        }
        self.end()
    }

    /// Waits for the end of the thread, and says what went wrong.
    pub fn end(&mut self) -> Result<(), Error> {
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
        if let Some(orders) = self.orders.take() {
            let _ = orders.send(Order::Stop);
        }
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
            Order::Stop => return Ok(()),
        }
    }
    Ok(())
}
