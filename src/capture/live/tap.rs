//! An open interface, and the thread that reads it.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::LinkAddr;
use pcap::{Active, Capture, Device, Precision, TimestampType};
use thiserror::Error;

use super::block::{Block, Loss, Told};
use super::{Interface, LiveOptions, Stamps};
use crate::capture::LinkType;
use crate::units::CaptureTime;

/// A thread waits so many milliseconds for a frame, and then looks whether it is to end. libpcap itself
/// promises no such limit, so it never waits; but so long the kernel collects frames before it shows them.
///
/// In libpcap's immediate mode it shows each at once, and then every frame takes as much of the kernel's buffer as the
/// longest one may: 512 frames are all that 32 MiB hold, and tcpdump itself loses some at a fifth of the rate.
const WAIT_MS: u8 = 20;
/// Everything older than this was shown, if nothing is there to be read.
const SHOWN: Duration = Duration::from_millis(3 * WAIT_MS as u64);
/// Frames that libpcap hands over in one call.
const AT_ONCE: usize = 256;
/// While more frames wait, a block is filled for so long.
const BLOCK_AGE: Duration = Duration::from_millis(10);
/// So often libpcap is asked what the kernel dropped.
const COUNTED: Duration = Duration::from_secs(1);
/// So often is looked whether an interface is there again.
const LOOKED: Duration = Duration::from_millis(200);

/// Why an interface cannot be captured on.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The user may not.
    #[error("{interface}: capturing is not permitted ({why})")]
    Permission {
        /// The interface.
        interface: String,
        /// libpcap's words.
        why: String,
    },
    /// There is none of that name.
    #[error("{0}: there is no such interface")]
    Missing(String),
    /// It is down.
    #[error("{0}: the interface is down; `ip link set {0} up` brings it up")]
    Down(String),
    /// The filter is none.
    #[error("the filter \"{filter}\" is no expression that libpcap knows: {why}")]
    Filter {
        /// What was given.
        filter: String,
        /// libpcap's words.
        why: String,
    },
    /// Anything else.
    #[error("{interface}: {why}")]
    Other {
        /// The interface.
        interface: String,
        /// libpcap's words.
        why: String,
    },
}

/// An interface of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// What the system says about it; often nothing.
    pub description: String,
    /// Whether it is up.
    pub up: bool,
    /// Its IP addresses.
    pub addresses: Vec<String>,
}

/// The interfaces of the machine that libpcap sees.
pub fn interfaces() -> Result<Vec<Known>, OpenError> {
    let other =
        |error: pcap::Error| OpenError::Other { interface: "interfaces".to_owned(), why: words(&error) };
    let devices = Device::list().map_err(other)?;
    Ok(devices
        .into_iter()
        .map(|device| Known {
            addresses: device.addresses.iter().map(|it| it.addr.to_string()).collect(),
            up: device.flags.is_up(),
            description: device.desc.unwrap_or_default(),
            name: device.name,
        })
        .collect())
}

/// libpcap's own words.
fn words(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An interface that is open.
pub struct Tap {
    capture: Capture<Active>,
    /// Its name and zone.
    pub interface: Interface,
    /// How its frames begin.
    pub link: LinkType,
    /// Most bytes of a frame.
    pub snaplen: u32,
    options: LiveOptions,
}

impl Tap {
    /// Opens an interface, with nanoseconds and the stamps that are asked for where it offers them.
    pub fn open(interface: Interface, options: &LiveOptions) -> Result<Self, OpenError> {
        let name = interface.name.clone();
        let explain = |error: pcap::Error| explain(&name, &words(&error));
        let stamps = match options.stamps {
            Stamps::Host => TimestampType::Host,
            Stamps::Adapter => TimestampType::Adapter,
            Stamps::AdapterUnsynced => TimestampType::AdapterUnsynced,
        };
        let mut capture = Capture::from_device(name.as_str())
            .map_err(explain)?
            .promisc(options.promiscuous)
            .snaplen(options.snaplen.min(i32::MAX as u32).cast_signed())
            .buffer_size((options.buffer_mib.min(2047) << 20).cast_signed())
            .timeout(i32::from(WAIT_MS))
            .immediate_mode(false)
            .precision(Precision::Nano);
        if options.stamps != Stamps::Host {
            capture = capture.tstamp_type(stamps);
        }
        let mut capture = capture.open().map_err(explain)?;
        let filtered = capture.filter(&options.filter, true);
        filtered.map_err(|error| OpenError::Filter { filter: options.filter.clone(), why: words(&error) })?;
        let capture = capture.setnonblock().map_err(explain)?;
        // As in files: what the system calls raw IP has another number there.
        let link = match capture.get_datalink().0 {
            12 | 14 => 101,
            link => u16::try_from(link).unwrap_or(u16::MAX),
        };
        let (link, options) = (LinkType(link), options.clone());
        Ok(Self { capture, interface, link, snaplen: options.snaplen, options })
    }
}

/// libpcap's words as an error that says what to do.
fn explain(interface: &str, why: &str) -> OpenError {
    let (name, why) = (interface.to_owned(), why.to_owned());
    let is = |word: &str| why.contains(word);
    if is("ermission") || is("not permitted") {
        OpenError::Permission { interface: name, why }
    } else if is("No such device") || is("doesn't exist") {
        OpenError::Missing(name)
    } else if is("not up") || is("Network is down") {
        OpenError::Down(name)
    } else {
        OpenError::Other { interface: name, why }
    }
}

/// What the threads and the reader of the merged frames share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) stop: AtomicBool,
    /// Bytes of blocks that wait.
    pub(super) backlog: AtomicUsize,
    /// Bytes that may wait.
    pub(super) room: usize,
}

/// The system's clock, which stamps the frames.
pub fn now() -> CaptureTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    CaptureTime(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Reads an interface until it is told to stop.
pub(super) struct Reading {
    tap: Tap,
    number: usize,
    shared: Arc<Shared>,
    blocks: Sender<Block>,
    block: Block,
    /// What the kernel had dropped when it was asked last, and when.
    dropped: u32,
    asked: (Instant, CaptureTime),
    /// Frames that were dropped here and not told yet.
    lost: Loss,
    /// The interface is there and down, of which libpcap says nothing.
    down: bool,
}

impl Reading {
    pub(super) fn new(tap: Tap, number: usize, shared: Arc<Shared>, blocks: Sender<Block>) -> Self {
        let (block, asked) = (Block::new(number), (Instant::now(), now()));
        Self { tap, number, shared, blocks, block, dropped: 0, asked, lost: Loss::default(), down: false }
    }

    pub(super) fn run(mut self) {
        // When it was told to stop: what was captured before shows a little later.
        let mut stopped: Option<Instant> = None;
        while stopped.is_none_or(|at| at.elapsed() < SHOWN) {
            if stopped.is_none() && self.shared.stop.load(Ordering::Relaxed) {
                stopped = Some(Instant::now());
            }
            let clock = now();
            let block = &mut self.block;
            let read = self.tap.capture.dispatch(Some(AT_ONCE), |packet| {
                let stamp = packet.header.ts;
                // With the precision that was asked for, the part of a second is in nanoseconds.
                let time =
                    CaptureTime(stamp.tv_sec.saturating_mul(1_000_000_000).saturating_add(stamp.tv_usec));
                block.push(time, packet.header.len, packet.data);
            });
            match read {
                Ok(0) => {
                    // Nothing waits, so everything up to a little before the call is here.
                    self.block.until = self.block.until.max(clock.plus(-(SHOWN.as_nanos() as i64)));
                    self.count(false);
                    self.hand_over();
                    let mut waited = [PollFd::new(self.tap.capture.as_fd(), PollFlags::POLLIN)];
                    // Whatever is wrong with it, the next reading tells.
                    let _ = poll(&mut waited, WAIT_MS);
                }
                Ok(_) => {
                    self.count(false);
                    if self.block.is_full() || self.block.read.elapsed() > BLOCK_AGE {
                        self.hand_over();
                    }
                }
                Err(error) if !self.is_over(&words(&error)) => {}
                Err(_) => break,
            }
        }
        self.count(true);
        self.hand_over();
    }

    /// Asks for what the kernel dropped, now and then.
    fn count(&mut self, last: bool) {
        if !last && self.asked.0.elapsed() < COUNTED {
            return;
        }
        let (before, clock) = (self.asked.1, now());
        self.asked = (Instant::now(), clock);
        if let Ok(stat) = self.tap.capture.stats() {
            let kernel = u64::from(stat.dropped.wrapping_sub(self.dropped));
            self.dropped = stat.dropped;
            if kernel > 0 {
                self.block.told.push(Told::Lost(Loss { from: before, to: clock, kernel, queue: 0 }));
            }
        }
        // One that is not there any more is an error when it is read.
        if let Some((up, _)) = interface(&self.tap.interface.name)
            && up == self.down
        {
            self.down = !up;
            let told = if up {
                Told::Back { again_promiscuous: true }
            } else {
                Told::Gone("the interface is down".to_owned())
            };
            self.block.told.push(told);
        }
    }

    /// Gives the block away, or drops its frames where too many wait already.
    fn hand_over(&mut self) {
        let mut block = std::mem::replace(&mut self.block, Block::new(self.number));
        let size = block.size();
        if self.shared.backlog.load(Ordering::Relaxed) + size > self.shared.room
            && let Some((first, last)) = block.span()
        {
            let Loss { from, queue, .. } = self.lost;
            let from = if queue == 0 { first } else { from };
            self.lost = Loss { from, to: last, kernel: 0, queue: queue + block.len() as u64 };
            // What is to be told of the interface comes with the next block.
            self.block.told = block.told;
            return;
        }
        if self.lost.queue > 0 {
            block.told.push(Told::Lost(std::mem::take(&mut self.lost)));
        }
        self.shared.backlog.fetch_add(size, Ordering::Relaxed);
        // Without a reader there is nobody to tell; the next look at `stop` ends this.
        let _ = self.blocks.send(block);
    }

    /// Waits for an interface that went away; true when the thread is to end.
    fn is_over(&mut self, why: &str) -> bool {
        let gone = ["disappeared", "went down", "Network is down", "No such device"];
        if !gone.iter().any(|it| why.contains(it)) {
            self.block.told.push(Told::Failed(why.to_owned()));
            return true;
        }
        self.block.told.push(Told::Gone(why.to_owned()));
        self.hand_over();
        while !self.shared.stop.load(Ordering::Relaxed) {
            if let Some(again_promiscuous) = self.again() {
                self.block.told.push(Told::Back { again_promiscuous });
                return false;
            }
            sleep(LOOKED);
        }
        true
    }

    /// Captures on the interface that has the name now, if there is one; whether frames for others show, if they are wanted.
    fn again(&mut self) -> Option<bool> {
        let Tap { interface: of, options, link, .. } = &self.tap;
        let (_, address) = interface(&of.name).filter(|(up, _)| *up)?;
        if options.reopen
            && let Ok(tap) = Tap::open(of.clone(), options)
            && tap.link == *link
        {
            (self.tap, self.dropped) = (tap, 0);
            return Some(true);
        }
        // To be bound to another interface a capture needs no right; but the wish to see frames for others went
        // with the old one.
        nix::sys::socket::bind(self.tap.capture.as_raw_fd(), &address).ok()?;
        Some(!self.tap.options.promiscuous)
    }
}

/// Whether the interface of a name is up, and its link-layer address; nothing when there is none.
fn interface(name: &str) -> Option<(bool, LinkAddr)> {
    getifaddrs().ok()?.find_map(|it| {
        let address = it.address.filter(|_| it.interface_name == name)?;
        Some((it.flags.contains(InterfaceFlags::IFF_UP), *address.as_link_addr()?))
    })
}
