//! What the user says by signals. They are looked at between frames, so nothing is interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

/// Signals that came.
#[derive(Debug, Default)]
pub struct Signals {
    stop: Arc<AtomicBool>,
    reopen: Arc<AtomicBool>,
    counters: Arc<AtomicBool>,
}

impl Signals {
    /// Takes over SIGTERM, SIGINT, SIGHUP and SIGUSR1. A second SIGINT or SIGTERM ends the program at once.
    pub fn take() -> Result<Self> {
        let signals = Self::default();
        for signal in [SIGTERM, SIGINT] {
            // Before the flag: the first one finds it unset.
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&signals.stop))
                .and_then(|_| flag::register(signal, Arc::clone(&signals.stop)))
                .context("cannot handle signals")?;
        }
        flag::register(SIGHUP, Arc::clone(&signals.reopen)).context("cannot handle signals")?;
        flag::register(SIGUSR1, Arc::clone(&signals.counters)).context("cannot handle signals")?;
        Ok(signals)
    }

    /// It is to end. The flag can also be set from within.
    pub const fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// Whether it is to end.
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether outputs are to be reopened, once for each time.
    pub fn reopens(&self) -> bool {
        self.reopen.swap(false, Ordering::Relaxed)
    }

    /// Whether counters are wanted, once for each time.
    pub fn counts(&self) -> bool {
        self.counters.swap(false, Ordering::Relaxed)
    }
}
