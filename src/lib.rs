//! dorascope reads DHCP traffic from several network zones, names the server
//! that really answered every client, and explains why that server answered
//! and its partner stayed silent, by replaying ISC Kea's High Availability
//! rules over the packets.
//!
//! # The flow
//!
//! Data runs one way, and each arrow is a type:
//!
//! ```text
//! capture → Frame → frame ─┬→ Datagram → dhcp → Message → exchange → Exchange ────────┐
//!                          └→ Segment → stream → kea::channel → ha::events → HaEvent ─┴→ ha::replay, ha::timeline
//!     → ha::decide → Decision (→ ha::witness: held against Kea's logs) → ha::verdict → Judgement → Analysis
//! Analysis, batch by batch → findings → Finding; both → table → rows, explain → cards, chart → pictures; all → report
//! ```
//!
//! Frames that are captured now go the same way ([`pipeline::Session`]): what a later frame of a file tells, that time
//! has passed, a clock tells there, and what is not settled yet can be looked at as if the capture ended now. So what
//! was recorded live gives the same tables as it gave live.
//!
//! | module | job | must not know |
//! |---|---|---|
//! | [`units`] | instants, identifiers, addresses | everything else |
//! | [`capture`] | files and streams to frames, merged in time order | what is in a frame |
//! | [`frame`] | link types, tunnels, fragments: frame to datagram or segment | DHCP, libpcap, clocks |
//! | [`stream`] | TCP segments to byte streams, in bounded memory | protocols above TCP |
//! | [`dhcp`] | one DHCPv4 message: header, options, anomalies | ports, time, frames |
//! | [`exchange`] | messages to exchanges to leases; who sent a reply | High Availability |
//! | [`kea`] | Kea's own artefacts: configuration files, the control channel's messages, logs, lease files | packets |
//! | [`ha`] | topology, hash, timeline, Kea's rules, verdicts, catalogue | tables, terminals |
//! | [`pipeline`] | the loop over all of it: what is read ahead, what is settled, what is let go; counters | findings, tables, the command line |
//! | [`findings`] | what an operator should look at, with the lawful exceptions | tables, terminals |
//! | [`table`] | the tables of the contract, filled and written | charts, the command line |
//! | [`explain`] | proof cards and expectation tables for people | how things were decided |
//! | [`chart`] | pictures for documentation, and the rows behind each | findings, files, the command line |
//! | [`report`] | a page and Markdown of all that, with the charts | files, the command line |
//! | `watch` | a capture that goes on: what is new, metrics, a view | interfaces, the command line |
//!
//! The binary adds `cli`, the only place that knows clap; `tests/layering.rs`
//! fails when a module imports what it must not know.
//!
//! # Invariants
//!
//! - **Time is capture time.** Nothing below the command line reads a clock, but for the threads of `capture::live`.
//!   A log has the clock and the zone of its machine, so [`ha::witness`] first
//!   puts it on the captures' clock, by the messages that both have.
//! - **Parsing never fails.** A parser returns what it could read and what was
//!   wrong. Trouble has three types: a fatal error names file and place; a
//!   [`frame::Skip`] says why a frame is not ours; a [`dhcp::Anomaly`] says
//!   what is odd about a message that is.
//! - **Counters balance.** Frames read = messages + control segments + skips,
//!   per source ([`pipeline::SourceCounts`]).
//! - **An unknown beats a guess.** Every [`ha::decide::Decision`] carries its
//!   rule, the evidence it rests on and a confidence; 0.9 and above means that
//!   we would bet on it, and the tests hold such decisions against Kea's logs.
//! - **Decisions look both ways.** The best evidence for what a server did at
//!   an instant may lie behind that instant, so the [`pipeline`] reads ahead of
//!   its decisions. A capture that fits its window is known whole before anything
//!   is decided, and gives one batch; a longer one is decided in batches, which
//!   wait for the partners' next heartbeats behind them.
//! - **Memory does not grow with the capture.** Whatever the exchanges ahead do
//!   not need is let go, and tables in memory are bounded, with an age and a
//!   counted eviction. Only leases that run are held, a million at most. Commands
//!   that look at single exchanges, and logs held against a capture, keep it whole.
//! - **Threads change nothing.** Reading runs beside the rest, and what needs no
//!   memory of other exchanges is worked out in parts that are joined in order;
//!   with one thread the same functions run in a row, and tests hold both equal.
//! - **No configuration is no obstacle.** Where the user names no server,
//!   [`ha::infer`] concludes the pairs from their heartbeats, once the first window is full.
//!
//! # Reading order
//!
//! [`pipeline`] is the program's table of contents. From there:
//! [`exchange::pair`] for conversations, [`ha::events`] for the control channel,
//! [`ha::replay`] for Kea's state machines run over it, [`ha::timeline`] for what
//! the evidence around an instant says of a state, [`ha::decide`] for Kea's rules
//! in Kea's order, [`explain::card`] for what a person reads. Two witnesses of a
//! state are kept apart on purpose: the replay is exact on a whole capture and
//! goes astray where frames are missing, the timeline only says what was shown.

pub mod capture;
#[cfg(feature = "tables")]
pub mod chart;
pub mod dhcp;
pub mod exchange;
#[cfg(feature = "tables")]
pub mod explain;
pub mod findings;
pub mod frame;
pub mod ha;
pub mod kea;
pub mod pipeline;
#[cfg(feature = "tables")]
pub mod report;
pub mod stream;
#[cfg(feature = "tables")]
pub mod table;
pub mod units;
#[cfg(feature = "live")]
pub mod watch;
