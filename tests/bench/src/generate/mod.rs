//! Captures for the benchmark, the same bytes on every machine.
//!
//! Reading order: [`bytes`] (headers and checksums), [`client`] (who asks, what its messages look like), [`control`] (the
//! servers' conversation), [`bystander`] (traffic that is not DHCP), [`file`] (pcap, pcapng, gzip), and here
//! the order in which all of it happens. [`world`] is what dorascope is told about it.

mod bystander;
mod bytes;
mod client;
mod control;
mod file;
mod world;

use std::io;
use std::path::Path;

use bystander::Bystanders;
use client::Clients;
use control::Channel;
use file::Sink;

pub use file::Precision;
pub use world::{Mode, write_topology};

/// What is in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// DISCOVER, OFFER, REQUEST, ACK, client after client; heartbeats every ten seconds.
    Dora,
    /// The same, and a lease update between every REQUEST and its ACK.
    Control,
    /// One DHCP frame in ten; the rest are TCP and UDP of three usual sizes.
    Mixed,
    /// Every client chooses the same transaction.
    SameXid,
    /// No ACK ever: DISCOVER, OFFER, and the REQUEST twice.
    NoAck,
    /// DISCOVER after DISCOVER without an answer, every one with an xid of its own.
    Unanswered,
    /// Hardware addresses and xids that differ only in their high bits.
    Colliding,
    /// Options of 255 bytes: client identifier, host name, vendor class.
    LongOptions,
    /// DISCOVERs of 64 KiB in fragments; of every second one the last fragment is missing.
    Fragments,
}

/// One capture to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What is in it.
    pub kind: Kind,
    /// Which server answers whom.
    pub mode: Mode,
    /// Clients, at most [`MOST_CLIENTS`]; they take turns.
    pub clients: u32,
    /// Frames without those of the control channel.
    pub frames: u64,
    /// Of its timestamps.
    pub precision: Precision,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// All frames.
    pub frames: u64,
    /// Frames of whole DHCP messages, and fragments of them.
    pub dhcp: u64,
    /// ACKs among them.
    pub acks: u64,
    /// Frames of the control channel.
    pub control: u64,
}

/// What the pools have room for.
pub const MOST_CLIENTS: u32 = 16_000_000;

/// 2026-11-22 08:00:00 UTC, in nanoseconds.
const START: u64 = 1_795_334_400_000_000_000;
/// One exchange begins every millisecond.
const STEP: u64 = 1_000_000;
/// Steps between heartbeats: ten seconds.
const HEARTBEAT: u64 = 10_000;

// When the messages of an exchange come: steps after its DISCOVER, and nanoseconds within the step.
const OFFER: (u64, u64) = (2, 200_000);
const REQUEST: (u64, u64) = (32, 400_000);
const AGAIN: (u64, u64) = (33, 500_000);
const UPDATE: (u64, u64) = (33, 600_000);
const ACK: (u64, u64) = (34, 800_000);
/// Steps until the last message of an exchange.
const TAIL: u64 = 35;

/// Writes the capture; `.pcapng` and `.gz` at the end of the name say its format.
pub fn write(plan: &Plan, path: &Path) -> io::Result<Made> {
    let mut writer = Writer {
        plan: *plan,
        clients: Clients::new(plan.kind, plan.clients),
        channel: Channel::default(),
        bystanders: Bystanders::new(),
        sink: Sink::create(path, plan.precision)?,
        frame: Vec::with_capacity(2048),
        made: Made::default(),
    };
    match plan.kind {
        Kind::Fragments => writer.fragments()?,
        Kind::Unanswered => writer.exchanges(plan.frames)?,
        Kind::Mixed => writer.exchanges(plan.frames / 40)?,
        _ => writer.exchanges(plan.frames / 4)?,
    }
    writer.sink.finish()?;
    Ok(writer.made)
}

struct Writer {
    plan: Plan,
    clients: Clients,
    channel: Channel,
    bystanders: Bystanders,
    sink: Sink,
    /// The frame that is being built, again and again in the same memory.
    frame: Vec<u8>,
    made: Made,
}

impl Writer {
    fn exchanges(&mut self, count: u64) -> io::Result<()> {
        // One of the whole run at `at` (steps, nanoseconds) whose messages come `lag` steps after its start.
        let due = |step: u64, (lag, _): (u64, u64)| step.checked_sub(lag).filter(|number| *number < count);
        for step in 0..count + TAIL {
            let began = START + step * STEP;
            if step < count {
                self.query(began, step, client::DISCOVER)?;
            }
            if self.plan.kind != Kind::Unanswered {
                if let Some(number) = due(step, OFFER) {
                    self.reply(began + OFFER.1, number, client::OFFER)?;
                }
                if let Some(number) = due(step, REQUEST) {
                    self.query(began + REQUEST.1, number, client::REQUEST)?;
                }
                if self.plan.kind == Kind::NoAck {
                    if let Some(number) = due(step, AGAIN) {
                        self.query(began + AGAIN.1, number, client::REQUEST)?;
                    }
                } else {
                    self.bind(began, due(step, UPDATE), due(step, ACK))?;
                }
            }
            if step % HEARTBEAT == 0 {
                self.heartbeats(began + 900_000)?;
            }
        }
        Ok(())
    }

    /// The lease update of one exchange and the ACK of another.
    fn bind(&mut self, began: u64, update: Option<u64>, ack: Option<u64>) -> io::Result<()> {
        if self.plan.kind == Kind::Control
            && let Some(number) = update
        {
            let client = self.clients.of(number);
            let server = self.plan.mode.server_of(&client);
            self.channel.lease_update(server, &client, began + UPDATE.1);
            self.control()?;
        }
        if let Some(number) = ack {
            self.reply(began + ACK.1, number, client::ACK)?;
            self.made.acks += 1;
        }
        Ok(())
    }

    fn heartbeats(&mut self, at: u64) -> io::Result<()> {
        self.channel.heartbeats(self.plan.mode, at);
        self.control()
    }

    fn query(&mut self, at: u64, number: u64, message: u8) -> io::Result<()> {
        let client = self.clients.of(number);
        client.query(message, self.plan.mode.server_of(&client), &mut self.frame);
        self.dhcp(at)
    }

    fn reply(&mut self, at: u64, number: u64, message: u8) -> io::Result<()> {
        let client = self.clients.of(number);
        client.reply(message, self.plan.mode.server_of(&client), &mut self.frame);
        self.dhcp(at)
    }

    fn dhcp(&mut self, at: u64) -> io::Result<()> {
        self.sink.frame(at, &self.frame)?;
        self.made.dhcp += 1;
        self.made.frames += 1;
        if self.plan.kind == Kind::Mixed {
            for number in 1..10 {
                self.bystanders.next(&mut self.frame);
                self.sink.frame(at + number * 2_000, &self.frame)?;
                self.made.frames += 1;
            }
        }
        Ok(())
    }

    /// Writes what the control channel has ready.
    fn control(&mut self) -> io::Result<()> {
        for (at, frame) in self.channel.ready.drain(..) {
            self.sink.frame(at, &frame)?;
            self.made.control += 1;
            self.made.frames += 1;
        }
        Ok(())
    }

    fn fragments(&mut self) -> io::Result<()> {
        for step in 0.. {
            let fragments = self.clients.of(step).huge(step as u16);
            let missing = usize::from(step % 2 == 1);
            for (number, frame) in fragments.iter().take(fragments.len() - missing).enumerate() {
                if self.made.frames == self.plan.frames {
                    return Ok(());
                }
                self.sink.frame(START + step * STEP + number as u64 * 12_000, frame)?;
                self.made.dhcp += 1;
                self.made.frames += 1;
            }
        }
        Ok(())
    }
}
