//! Kea's HA state machine as pure functions: what a server does next, given
//! what it knows. No packets, no capture, no guesses.
//!
//! Reading order: [`next`] (the transition table), [`Clock`] and [`Clients`]
//! (failure detection), [`should_partner_down`] (where the two meet),
//! [`Service`] (the one DHCP switch of a machine), [`notified`] (maintenance).

mod clients;
mod clock;
mod maintenance;
mod service;
mod transition;

pub use clients::{ClientKey, Clients, Noted, is_unacked, unacked_left};
pub use clock::{Clock, Skew};
pub use maintenance::{Maintained, Reply, notified, notifier};
pub use service::{Holder, Service};
pub use transition::{Backlog, Conditions, Partner, next, should_partner_down};
