//! Metrics with labels: what each one is called, and what its numbers are told apart by.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge as AnyGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;

/// A number that goes up and down.
pub(super) type Gauge = AnyGauge<f64, AtomicU64>;

/// Bounds of the histograms, seconds. A server answers in milliseconds, waits ten seconds for its
/// partner (kea-ha §2.2), and a client that asks again doubles its patience up to 64 s (RFC 2131 §4.1).
const BUCKETS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name, as samples have it.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What its numbers are told apart by.
    pub labels: &'static [&'static str],
    /// One sentence without its full stop.
    pub help: &'static str,
}

type Labels<const N: usize> = [(&'static str, String); N];

/// A metric, one number for each combination of its labels' values.
#[derive(Clone, Debug)]
pub(super) struct Series<M, const N: usize> {
    labels: &'static [&'static str; N],
    family: Family<Labels<N>, M, fn() -> M>,
}

impl<M: Clone, const N: usize> Series<M, N> {
    /// The number of these values.
    pub(super) fn of(&self, values: [&str; N]) -> impl Deref<Target = M> + '_ {
        let mut values = values.into_iter();
        let labels = self.labels.map(|label| (label, values.next().unwrap_or_default().to_owned()));
        self.family.get_or_create(&labels)
    }

    /// Forgets every number, before what is now is set anew.
    pub(super) fn clear(&self) {
        self.family.clear();
    }
}

impl<const N: usize> Series<Gauge, N> {
    pub(super) fn set(&self, values: [&str; N], number: f64) {
        self.of(values).set(number);
    }

    pub(super) fn add(&self, values: [&str; N], number: f64) {
        self.of(values).inc_by(number);
    }
}

impl<const N: usize> Series<Counter, N> {
    pub(super) fn count(&self, values: [&str; N]) {
        self.of(values).inc();
    }

    /// For what is counted elsewhere.
    pub(super) fn total(&self, values: [&str; N], number: u64) {
        self.of(values).inner().store(number, Ordering::Relaxed);
    }

    pub(super) fn add(&self, values: [&str; N], number: u64) {
        self.of(values).inc_by(number);
    }
}

impl<const N: usize> Series<Histogram, N> {
    /// A time in microseconds; one that is negative because of two clocks counts as none.
    pub(super) fn observe(&self, values: [&str; N], micros: i64) {
        self.of(values).observe(micros.max(0) as f64 / 1e6);
    }
}

/// A registry that remembers what was registered: an empty metric is not in its text.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    pub(super) registry: Registry,
    pub(super) described: Vec<Described>,
}

impl Shelf {
    pub(super) fn counter<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Series<Counter, N> {
        self.add(name, labels, help, Counter::default)
    }

    pub(super) fn gauge<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Series<Gauge, N> {
        self.add(name, labels, help, Gauge::default)
    }

    pub(super) fn histogram<const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
    ) -> Series<Histogram, N> {
        self.add(name, labels, help, || Histogram::new(BUCKETS))
    }

    fn add<M, const N: usize>(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str; N],
        help: &'static str,
        new: fn() -> M,
    ) -> Series<M, N>
    where
        M: EncodeMetric + TypedMetric + Clone + Send + Sync + std::fmt::Debug + 'static,
    {
        let kind = match M::TYPE {
            MetricType::Counter => "counter",
            MetricType::Histogram => "histogram",
            _ => "gauge",
        };
        self.described.push(Described { name, kind, labels, help });
        let family = Family::new_with_constructor(new);
        // The encoder adds the ending that names of counters have.
        self.registry.register(name.trim_end_matches("_total"), help, family.clone());
        Series { labels, family }
    }
}
