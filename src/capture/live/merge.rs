//! The frames of all interfaces in time order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::block::{Block, LiveFrame, Loss, Told};
use super::tap::{Reading, Shared, Tap, now};
use crate::capture::LinkType;
use crate::units::CaptureTime;

/// A frame waits so long at most for earlier ones of other interfaces.
const WINDOW: Duration = Duration::from_millis(200);

/// What comes next.
#[derive(Debug)]
pub enum Event<'a> {
    /// A frame.
    Frame(LiveFrame<'a>),
    /// Frames of an interface, by number, that did not arrive.
    Lost(usize, Loss),
    /// An interface is down or not there any more; libpcap's words.
    Gone(usize, &'a str),
    /// It is there again. Without the wish that frames for others show, which went with the old one, the flag is not set.
    Back(usize, bool),
    /// It cannot be captured on any more; libpcap's words.
    Failed(usize, &'a str),
    /// Nothing came until the deadline.
    Idle,
    /// All threads have ended, and everything that they read was given.
    Ended,
}

/// Captures on interfaces until it is stopped.
pub struct Live {
    lanes: Lanes,
    blocks: Receiver<Block>,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// No block comes any more.
    ended: bool,
}

impl Live {
    /// Starts a thread for each interface. `room`: bytes of frames that may wait to be taken.
    pub fn start(taps: Vec<Tap>, room: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { room, ..Shared::default() });
        let lanes = Lanes::new(taps.iter().map(|tap| tap.link));
        let (sender, blocks) = channel();
        let mut threads = Vec::new();
        for (number, tap) in taps.into_iter().enumerate() {
            let name = format!("capture-{}", tap.interface.name);
            let reading = Reading::new(tap, number, Arc::clone(&shared), sender.clone());
            threads.push(std::thread::Builder::new().name(name).spawn(move || reading.run())?);
        }
        Ok(Self { lanes, blocks, shared, threads, ended: false })
    }

    /// Lets the threads end; what they have read is still given.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }

    /// Bytes of frames that wait to be taken.
    pub fn backlog(&self) -> usize {
        self.shared.backlog.load(Ordering::Relaxed)
    }

    /// Everything that was captured before this instant was given.
    pub fn until(&self) -> CaptureTime {
        self.lanes.until().unwrap_or_else(|| now().plus(-1_000_000_000))
    }

    /// The next frame, or whatever else is to be told, until a deadline.
    pub fn next(&mut self, deadline: Instant) -> Event<'_> {
        while !self.lanes.choose(self.ended) {
            let wait = deadline.min(self.lanes.patience()).saturating_duration_since(Instant::now());
            match self.blocks.recv_timeout(wait) {
                Ok(block) => self.take(block),
                Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => {}
                Err(RecvTimeoutError::Timeout) => return Event::Idle,
                Err(RecvTimeoutError::Disconnected) if self.ended => return Event::Ended,
                Err(RecvTimeoutError::Disconnected) => {
                    self.threads.drain(..).for_each(|thread| drop(thread.join()));
                    self.ended = true;
                }
            }
            while let Ok(block) = self.blocks.try_recv() {
                self.take(block);
            }
        }
        self.lanes.give()
    }

    fn take(&mut self, block: Block) {
        self.lanes.add(block, &self.shared);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What was read of every interface and not given yet.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    all: Vec<Lane>,
    /// What is given next: a frame of a lane, or what is told of one.
    next: Option<usize>,
    told: VecDeque<(usize, Told)>,
    telling: Option<(usize, Told)>,
    shared: Option<Arc<Shared>>,
}

#[derive(Debug)]
struct Lane {
    link: LinkType,
    blocks: VecDeque<Block>,
    /// The next frame of the first block.
    at: usize,
    /// Everything before this instant came.
    until: CaptureTime,
    /// Whether it is captured on.
    open: bool,
}

impl Lane {
    fn head(&self) -> Option<(CaptureTime, Instant)> {
        let block = self.blocks.front()?;
        Some((block.time(self.at)?, block.read))
    }
}

impl Lanes {
    pub(super) fn new(links: impl Iterator<Item = LinkType>) -> Self {
        let until = CaptureTime(i64::MIN);
        let lane = |link| Lane { link, blocks: VecDeque::new(), at: 0, until, open: true };
        Self { all: links.map(lane).collect(), ..Self::default() }
    }

    pub(super) fn add(&mut self, mut block: Block, shared: &Arc<Shared>) {
        self.shared.get_or_insert_with(|| Arc::clone(shared));
        let Some(lane) = self.all.get_mut(block.tap) else { return };
        lane.until = block.until;
        for told in block.told.drain(..) {
            match told {
                Told::Gone(_) | Told::Failed(_) => lane.open = false,
                Told::Back { .. } => lane.open = true,
                Told::Lost(_) => {}
            }
            self.told.push_back((block.tap, told));
        }
        if block.len() > 0 {
            lane.blocks.push_back(block);
        } else {
            shared.backlog.fetch_sub(block.size(), Ordering::Relaxed);
        }
    }

    /// Everything captured before this instant was given; absent when no interface is there.
    fn until(&self) -> Option<CaptureTime> {
        let known = |lane: &Lane| lane.head().map_or(lane.until, |(time, _)| time);
        self.all.iter().filter(|lane| lane.open || !lane.blocks.is_empty()).map(known).min()
    }

    /// Until when the earliest frame waits.
    fn patience(&self) -> Instant {
        let first = self.all.iter().filter_map(Lane::head).min();
        first.map_or_else(|| Instant::now() + WINDOW, |(_, read)| read + WINDOW)
    }

    /// Chooses what is given next, if there is something that need not wait.
    ///
    /// The earliest frame is given when every other interface has shown that nothing earlier
    /// comes, or when it has waited long enough; `ended` when nothing comes at all.
    pub(super) fn choose(&mut self, ended: bool) -> bool {
        self.let_go();
        self.telling = self.told.pop_front();
        if self.telling.is_some() {
            return true;
        }
        let heads = self.all.iter().enumerate().filter_map(|(at, lane)| Some((lane.head()?, at)));
        let Some(((time, read), at)) = heads.min_by_key(|((time, _), at)| (*time, *at)) else { return false };
        let waits = |lane: &Lane| lane.open && lane.blocks.is_empty() && lane.until < time;
        if !ended && self.all.iter().any(waits) && read.elapsed() < WINDOW {
            return false;
        }
        self.next = Some(at);
        true
    }

    /// The frame that was given last is not needed any more.
    fn let_go(&mut self) {
        let Some(lane) = self.next.take().and_then(|at| self.all.get_mut(at)) else { return };
        lane.at += 1;
        if let Some(block) = lane.blocks.front().filter(|block| block.len() == lane.at) {
            if let Some(shared) = &self.shared {
                shared.backlog.fetch_sub(block.size(), Ordering::Relaxed);
            }
            lane.blocks.pop_front();
            lane.at = 0;
        }
    }

    /// What was chosen.
    pub(super) fn give(&self) -> Event<'_> {
        if let Some((tap, told)) = &self.telling {
            return match told {
                Told::Lost(loss) => Event::Lost(*tap, *loss),
                Told::Gone(why) => Event::Gone(*tap, why),
                Told::Back { again_promiscuous } => Event::Back(*tap, *again_promiscuous),
                Told::Failed(why) => Event::Failed(*tap, why),
            };
        }
        let lane = self.next.and_then(|at| self.all.get(at));
        let frame = lane.and_then(|lane| lane.blocks.front()?.frame(lane.at, lane.link));
        frame.map_or(Event::Idle, Event::Frame)
    }
}
