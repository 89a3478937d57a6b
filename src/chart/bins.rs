//! Counts over time in bounded memory: bins become wider as the capture becomes longer.

use std::collections::BTreeMap;

use super::axis::time_step;
use crate::units::{CaptureTime, SECOND};

/// What happened so often in each bin.
pub type Counts<K> = BTreeMap<K, u64>;

/// The width of bars in nanoseconds, and the begin and the counts of each.
pub type Bars<K> = (i64, Vec<(CaptureTime, Counts<K>)>);

/// Counts of different things over time.
#[derive(Clone, Debug)]
pub struct Bins<K> {
    /// Nanoseconds that a bin spans.
    width: i64,
    bins: BTreeMap<i64, Counts<K>>,
}

impl<K> Default for Bins<K> {
    fn default() -> Self {
        Self { width: SECOND / 1000, bins: BTreeMap::new() }
    }
}

impl<K: Ord + Copy> Bins<K> {
    /// Bins that are kept from the first to the last one: many times more than a picture shows.
    const MOST: i64 = 20_000;

    /// Counts one.
    pub fn add(&mut self, time: CaptureTime, what: K) {
        let bin = time.0.div_euclid(self.width);
        *self.bins.entry(bin).or_default().entry(what).or_default() += 1;
        while self.extent() > Self::MOST {
            self.widen();
        }
    }

    fn extent(&self) -> i64 {
        let ends = self.bins.first_key_value().zip(self.bins.last_key_value());
        ends.map_or(0, |((first, _), (last, _))| last.saturating_sub(*first))
    }

    fn widen(&mut self) {
        let factor = next(self.width);
        self.width = self.width.saturating_mul(factor);
        for (bin, counts) in std::mem::take(&mut self.bins) {
            let into = self.bins.entry(bin.div_euclid(factor)).or_default();
            for (what, count) in counts {
                *into.entry(what).or_default() += count;
            }
        }
    }

    /// At most about `most` bins of a round width, each with its begin; bins without anything are left out.
    pub fn of_round_width(&self, most: usize) -> Bars<K> {
        let span = self.extent().saturating_add(1).saturating_mul(self.width);
        let width = time_step(span as f64 / most as f64, self.width);
        let mut wide: BTreeMap<i64, Counts<K>> = BTreeMap::new();
        for (bin, counts) in &self.bins {
            let into = wide.entry(bin.saturating_mul(self.width).div_euclid(width)).or_default();
            for (what, count) in counts {
                *into.entry(*what).or_default() += count;
            }
        }
        (
            width,
            wide.into_iter().map(|(bin, counts)| (CaptureTime(bin.saturating_mul(width)), counts)).collect(),
        )
    }
}

/// By how much bins of a width are widened, so that every width divides the round ones above it.
const fn next(width: i64) -> i64 {
    const MINUTE: i64 = 60 * SECOND;
    match width {
        ..10_000_000_000 => 10,
        10_000_000_000 => 6,
        MINUTE => 10,
        600_000_000_000 => 6,
        3_600_000_000_000 => 24,
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_when_bins_widen() {
        let mut bins = Bins::default();
        // Two weeks, one event every minute, then one far before all of them.
        for minute in 0..20_160 {
            bins.add(CaptureTime(minute * 60 * SECOND), minute % 2);
        }
        bins.add(CaptureTime(-86_400 * SECOND), 0);
        assert!(bins.bins.len() <= 20_001, "{}", bins.bins.len());
        let (width, wide) = bins.of_round_width(60);
        assert_eq!(width, 21_600 * SECOND, "15 days in at most 60 bins: six hours");
        assert_eq!(wide.iter().flat_map(|(_, counts)| counts.values()).sum::<u64>(), 20_161);
        assert_eq!(wide.first().map(|(begin, _)| begin.0), Some(-86_400 * SECOND));
    }

    #[test]
    fn any_instant_that_a_file_can_hold_is_counted() {
        let mut bins = Bins::default();
        for time in [i64::MIN, i64::MIN + 1, 0, i64::MAX] {
            bins.add(CaptureTime(time), ());
        }
        let (_, wide) = bins.of_round_width(100);
        assert_eq!(wide.iter().flat_map(|(_, counts)| counts.values()).sum::<u64>(), 4);
    }

    #[test]
    fn a_single_event_is_a_bin() {
        let mut bins = Bins::default();
        assert_eq!(bins.of_round_width(100).1, []);
        bins.add(CaptureTime(5 * SECOND), "a");
        let (width, wide) = bins.of_round_width(100);
        assert_eq!((width, wide.len()), (SECOND / 1000, 1));
    }
}
