//! pcapng time stamps (if_tsresol, if_tsoffset) to nanoseconds.

use crate::units::{CaptureTime, SECOND};

/// How an interface counts time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    unit: Unit,
    /// if_tsoffset in nanoseconds.
    offset: i128,
}

#[derive(Clone, Copy, Debug)]
enum Unit {
    /// So many nanoseconds are one tick: resolutions of 10^-9 s and coarser.
    Nanoseconds(u64),
    /// One tick is 10^-n ns, where this is 10^n.
    Fraction(u128),
    /// One tick is 2^-n s.
    Binary(u32),
}

impl Clock {
    /// `resolution` is the if_tsresol byte: a negative power of ten, or of two
    /// when its top bit is set; `offset` is if_tsoffset in seconds.
    pub(super) fn new(resolution: u8, offset: i64) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        let unit = if resolution & 0x80 != 0 {
            Unit::Binary(exponent)
        } else if exponent <= 9 {
            Unit::Nanoseconds(10_u64.pow(9 - exponent))
        } else {
            // Beyond 10^38 every 64-bit count of ticks is zero nanoseconds.
            Unit::Fraction(10_u128.checked_pow(exponent - 9).unwrap_or(u128::MAX))
        };
        Self { unit, offset: i128::from(offset) * i128::from(SECOND) }
    }

    /// The instant of `ticks`, rounded down to nanoseconds and clamped to what
    /// `CaptureTime` can hold (the years 1677 to 2262).
    #[inline]
    pub(super) fn instant(self, ticks: u64) -> CaptureTime {
        // As nearly every file has it: 64 bits are enough.
        if let (Unit::Nanoseconds(unit), 0) = (self.unit, self.offset)
            && let Some(Ok(ns)) = ticks.checked_mul(unit).map(i64::try_from)
        {
            return CaptureTime(ns);
        }
        let ticks = u128::from(ticks);
        let ns = match self.unit {
            Unit::Nanoseconds(unit) => ticks * u128::from(unit),
            Unit::Fraction(divisor) => ticks / divisor,
            Unit::Binary(bits) => (ticks * SECOND as u128) >> bits,
        };
        // 64 bits of ticks times 10^9 stay below 2^94, so the sum cannot overflow.
        let ns = ns.cast_signed() + self.offset;
        CaptureTime(ns.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resolution_gives_the_same_instant() {
        let second = 1_700_000_000_u64;
        for exponent in 0..=9_u8 {
            let ticks = second * 10_u64.pow(exponent.into());
            assert_eq!(Clock::new(exponent, 0).instant(ticks).0, 1_700_000_000 * SECOND, "10^-{exponent}");
        }
        assert_eq!(Clock::new(0x94, 0).instant(second << 20).0, 1_700_000_000 * SECOND);
        assert_eq!(Clock::new(12, 0).instant(1_234_567).0, 1_234, "picoseconds round down");
        assert_eq!(Clock::new(0x81, 0).instant(3).0, 1_500_000_000, "halves of a second");
    }

    #[test]
    fn offset_counts_seconds_and_extremes_are_clamped() {
        assert_eq!(Clock::new(6, -1).instant(1_500_000).0, 500_000_000);
        assert_eq!(Clock::new(0, 0).instant(u64::MAX).0, i64::MAX);
        assert_eq!(Clock::new(0, i64::MIN).instant(0).0, i64::MIN);
        assert_eq!(Clock::new(127, 0).instant(u64::MAX).0, 0);
        assert_eq!(Clock::new(0xff, 0).instant(u64::MAX).0, 0);
    }
}
