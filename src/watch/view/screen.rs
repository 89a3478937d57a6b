//! The thread that owns the terminal.

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, style};

use super::{Snapshot, Then, Ui, draw};

/// What is new is drawn this often at most; a key or a new size at once.
const PAUSE: Duration = Duration::from_millis(125);

/// The terminal is ours, and must be given back.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// What is shown: a pointer that the analysis swaps and the terminal's thread reads.
#[derive(Clone, Debug, Default)]
pub struct Shown(Arc<Mutex<Arc<Snapshot>>>);

impl Shown {
    /// Shows this from now on.
    pub fn set(&self, snapshot: Snapshot) {
        let new = Arc::new(snapshot);
        let old = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), new);
        // Freed behind the lock.
        drop(old);
    }

    /// What is shown now.
    pub fn get(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The terminal while the view has it.
#[derive(Debug)]
pub struct Screen {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Screen {
    /// Takes the terminal and shows what is set, until the user quits: then `over` becomes true. If it
    /// becomes true otherwise, the view ends too.
    ///
    /// # Errors
    /// Standard input or output is no terminal that can be drawn on, or no thread can begin.
    pub fn open(shown: Shown, colour: bool, over: Arc<AtomicBool>) -> io::Result<Self> {
        give_back_on_panic(&over);
        // The caller knows what the user wants; the environment is only a part of that.
        style::force_color_output(colour);
        take()?;
        let flag = Arc::clone(&over);
        let work = move || {
            let result = run(&shown, colour, &flag);
            flag.store(true, Ordering::Relaxed);
            give_back();
            result
        };
        let thread = std::thread::Builder::new().name("view".to_owned()).spawn(work);
        let thread = thread.inspect_err(|_| give_back())?;
        Ok(Self { over, thread: Some(thread) })
    }

    /// Gives the terminal back.
    ///
    /// # Errors
    /// The terminal failed while it was drawn on.
    pub fn close(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.over.store(true, Ordering::Relaxed);
        let result = match self.thread.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(error)) => error,
            Some(Err(_)) => Err(io::Error::other("the view's thread failed")),
        };
        give_back();
        result
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let taken = enable_raw_mode().and_then(|()| execute!(io::stdout(), EnterAlternateScreen, cursor::Hide));
    taken.inspect_err(|_| give_back())
}

/// What went wrong here cannot be told to anybody: the terminal itself is gone.
fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), EndSynchronizedUpdate, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// A message about a panic belongs on a terminal that works.
fn give_back_on_panic(over: &Arc<AtomicBool>) {
    let over = Arc::clone(over);
    HOOK.call_once(move || {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            over.store(true, Ordering::SeqCst);
            give_back();
            before(info);
        }));
    });
}

fn run(shown: &Shown, colour: bool, over: &AtomicBool) -> io::Result<()> {
    let mut terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    terminal.clear()?;
    let mut ui = Ui::new(colour);
    let mut last = shown.get();
    ui.show(Arc::clone(&last));
    let mut is_due = true;
    while !over.load(Ordering::Relaxed) {
        if is_due && TAKEN.load(Ordering::SeqCst) {
            execute!(io::stdout(), BeginSynchronizedUpdate)?;
            let drawn = terminal.draw(|frame| draw(frame, &mut ui)).map(|_| ());
            execute!(io::stdout(), EndSynchronizedUpdate)?;
            drawn?;
            io::stdout().flush()?;
        }
        is_due = event::poll(PAUSE)?;
        if is_due {
            // All that were pressed meanwhile are drawn once.
            while event::poll(Duration::ZERO)? {
                match event::read()? {
                    Event::Key(key) if ui.key(key) == Then::Quits => return Ok(()),
                    _ => {}
                }
            }
        }
        let now = shown.get();
        if !Arc::ptr_eq(&now, &last) {
            ui.show(Arc::clone(&now));
            last = now;
            is_due = true;
        }
    }
    Ok(())
}
