//! A progress bar on standard error, for people who wait.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// At most ten drawings per second: more cannot be read, and they cost time.
const PAUSE: Duration = Duration::from_millis(100);
/// Cells of the bar itself.
const BAR: u64 = 24;

/// Bytes read so far, of a total that may be unknown.
#[derive(Debug)]
pub struct Progress {
    total: Option<u64>,
    start: Instant,
    drawn: Option<Instant>,
    active: bool,
}

impl Progress {
    /// A bar for `total` bytes; `None` for streams. Silent with `quiet` and without a terminal.
    pub fn new(total: Option<u64>, quiet: bool) -> Self {
        let active = !quiet && io::stderr().is_terminal();
        Self { total, start: Instant::now(), drawn: None, active }
    }

    /// Shows that `done` bytes were read; cheap enough to call for every block.
    pub fn at(&mut self, done: u64) {
        if !self.active || self.drawn.unwrap_or(self.start).elapsed() < PAUSE {
            return;
        }
        self.drawn = Some(Instant::now());
        // A bar that cannot be drawn is no reason to stop.
        let _ = write!(io::stderr(), "\r{}\x1b[K", line(done, self.total, self.start.elapsed()));
    }
}

impl Drop for Progress {
    /// Leaves a clean line to whatever comes next.
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// The bar's line: share, bytes, rate and the time that is left.
fn line(done: u64, total: Option<u64>, elapsed: Duration) -> String {
    let ms = elapsed.as_millis().max(1);
    let rate = u64::try_from(u128::from(done) * 1000 / ms).unwrap_or(u64::MAX);
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{}  {}/s", bytes(done), bytes(rate));
    };
    let done = done.min(total);
    let share = |of: u64| (u128::from(done) * u128::from(of) / u128::from(total)) as u64;
    let filled = share(BAR);
    let bar: String = (0..BAR).map(|i| if i < filled { '█' } else { '░' }).collect();
    let left =
        if rate == 0 { String::new() } else { format!("  {} left", span((total - done).div_ceil(rate))) };
    format!("{bar} {:3} %  {} of {}  {}/s{left}", share(100), bytes(done), bytes(total), bytes(rate))
}

/// Bytes in decimal units, as file managers count them.
fn bytes(count: u64) -> String {
    let units = [(1_000_000_000_000_u64, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(size, _)| count >= *size) {
        None => format!("{count} B"),
        Some((size, unit)) => format!("{:.1} {unit}", count as f64 / *size as f64),
    }
}

/// Seconds as a person says them.
fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let s = Duration::from_secs;
        assert_eq!(line(1_500_000, None, s(3)), "1.5 MB  500.0 kB/s");
        assert_eq!(
            line(1_000_000_000, Some(4_000_000_000), s(2)),
            "██████░░░░░░░░░░░░░░░░░░  25 %  1.0 GB of 4.0 GB  500.0 MB/s  6 s left"
        );
        // A file that grew while it was read.
        assert!(line(9, Some(5), s(1)).contains("100 %  5 B of 5 B"));
        assert_eq!(line(0, Some(0), s(1)), "0 B  0 B/s");
        assert_eq!((span(61), span(7260)), ("1 min 01 s".to_owned(), "2 h 01 min".to_owned()));
    }
}
