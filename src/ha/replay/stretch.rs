//! How long an answer about an instant holds.

use crate::units::CaptureTime;

/// An instant, and the time around it in which every comparison that was made with it comes out the same.
///
/// What was worked out by such comparisons alone is therefore the same in all of that time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    time: CaptureTime,
    from: CaptureTime,
    to: CaptureTime,
}

impl Stretch {
    /// An instant that was compared with nothing yet.
    pub(super) const fn around(time: CaptureTime) -> Self {
        Self { time, from: CaptureTime(i64::MIN), to: CaptureTime(i64::MAX) }
    }

    /// Whether another instant lies in it.
    pub(super) fn has(&self, time: CaptureTime) -> bool {
        self.from <= time && time <= self.to
    }

    /// Whether the instant is not before another one.
    pub(super) fn reached(&mut self, other: CaptureTime) -> bool {
        let reached = self.time >= other;
        if reached {
            self.from = self.from.max(other);
        } else {
            self.to = self.to.min(other.plus(-1));
        }
        reached
    }

    /// Whether the instant is after another one.
    pub(super) fn passed(&mut self, other: CaptureTime) -> bool {
        let passed = self.time > other;
        if passed {
            self.from = self.from.max(other.plus(1));
        } else {
            self.to = self.to.min(other);
        }
        passed
    }
}
