//! Encodes and writes rows, on a thread of its own while the next ones are made if there may be one.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, spawn};

use super::directory::TableFile;
use super::error::Error;
use super::rows::Rows;

/// Groups of rows that may wait; whoever makes more waits too.
const WAITING: usize = 2;

/// What the thread is told.
pub(super) enum Order {
    /// Write rows to one of the files.
    Write(usize, Rows),
    /// Complete every file.
    Finish,
    /// Leave none.
    Stop,
}

/// Rows cannot be written any more; [`Scribe::end`] says why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

/// A way to one of the files.
pub(super) enum Desk {
    /// The thread writes.
    Away {
        /// The file.
        file: usize,
        /// To the thread.
        orders: SyncSender<Order>,
        /// Rows that were written: emptied, to be filled again.
        spares: Receiver<Rows>,
    },
    /// Whoever brings the rows writes them.
    Here(usize, Arc<Mutex<Files>>),
}

impl Desk {
    /// Has rows written, and leaves none in their place.
    pub fn write(&self, rows: &mut Rows) -> Result<(), Gone> {
        match self {
            Self::Away { file, orders, spares } => {
                let spare = spares.try_recv().unwrap_or_else(|_| Rows::new(rows.table()));
                let full = std::mem::replace(rows, spare);
                orders.send(Order::Write(*file, full)).map_err(|_| Gone)
            }
            Self::Here(file, files) => {
                files.lock().unwrap_or_else(PoisonError::into_inner).write(*file, rows).map_err(|()| Gone)
            }
        }
    }
}

/// Files that are written without a thread.
#[derive(Default)]
pub(super) struct Files {
    files: Vec<TableFile>,
    trouble: Option<Error>,
}

impl Files {
    fn write(&mut self, file: usize, rows: &mut Rows) -> Result<(), ()> {
        let result = self.files.get_mut(file).map_or(Ok(()), |file| file.write(rows));
        rows.clear();
        result.map_err(|trouble| self.trouble = Some(trouble))
    }
}

/// The files of a run, and the thread that writes them.
///
/// Dropped before [`Scribe::finish`], it waits for the thread to remove what it wrote.
pub(super) struct Scribe {
    orders: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
    here: Arc<Mutex<Files>>,
}

impl Scribe {
    /// Takes over these files; each has its desk. With one thread the caller does the work.
    pub fn new(files: Vec<TableFile>, alone: bool) -> (Self, Vec<Desk>) {
        let count = files.len();
        let here = Arc::new(Mutex::new(Files::default()));
        if alone {
            here.lock().unwrap_or_else(PoisonError::into_inner).files = files;
            let desks = (0..count).map(|file| Desk::Here(file, Arc::clone(&here))).collect();
            return (Self { orders: None, thread: None, here }, desks);
        }
        let (orders, inbox) = sync_channel(WAITING);
        let desk = |file| {
            // One spare is enough: most tables have no group under way.
            let (returns, spares) = sync_channel(1);
            (returns, Desk::Away { file, orders: orders.clone(), spares })
        };
        let (returns, desks): (Vec<_>, Vec<_>) = (0..count).map(desk).unzip();
        let thread = Some(spawn(move || work(files, &inbox, &returns)));
        (Self { orders: Some(orders), thread, here }, desks)
    }

    /// Completes every file.
    pub fn finish(mut self) -> Result<(), Error> {
        if let Some(orders) = self.orders.take() {
            // A thread that is gone has left its reason.
            let _ = orders.send(Order::Finish);
        }
        self.end()?;
        let files = std::mem::take(&mut self.here.lock().unwrap_or_else(PoisonError::into_inner).files);
        files.into_iter().try_for_each(|file| file.finish().map(drop))
    }

    /// Waits for the end of the thread, and says what went wrong.
    pub fn end(&mut self) -> Result<(), Error> {
        self.orders = None;
        if let Some(trouble) = self.here.lock().unwrap_or_else(PoisonError::into_inner).trouble.take() {
            return Err(trouble);
        }
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
fn work(
    mut files: Vec<TableFile>,
    orders: &Receiver<Order>,
    returns: &[SyncSender<Rows>],
) -> Result<(), Error> {
    for order in orders {
        match order {
            Order::Write(at, mut rows) => {
                if let Some(file) = files.get_mut(at) {
                    file.write(&rows)?;
                }
                rows.clear();
                // Nobody may want them any more, or there is a spare already.
                let _ = returns.get(at).map(|returns| returns.try_send(rows));
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
