//! The loop over frames, time and signals.

use std::time::{Duration, Instant};

use dorascope::capture::Frame;
use dorascope::capture::live::{Event, Live, LiveFrame, Loss, now};
use dorascope::capture::recorder::Recorder;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Options, Session};
use dorascope::table::escape;
use dorascope::units::{CaptureTime, SECOND};
use dorascope::watch::{Capturing, TapState};

use super::BACKLOG;
use super::outputs::Outputs;
use super::signals::Signals;
use super::sources::{Described, Places};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::resolve::CaptureJob;

/// Signals and time are looked at so often.
const PAUSE: Duration = Duration::from_millis(50);
/// What is long over is settled so often.
const TICK: Duration = Duration::from_secs(1);
/// A look at what is not settled takes this part of the time at most.
const LOOK_SHARE: u32 = 10;
/// A clock that is this far from where it should be was set.
const STEP_NS: i64 = SECOND / 2;
/// After a step this large what was captured before cannot be put beside what comes.
const BREAK_NS: i64 = 10 * SECOND;
/// Notes that are kept for those who look later.
const NOTES: usize = 100;

/// A capture that goes on.
pub struct Run<'t> {
    job: &'t CaptureJob,
    topology: &'t Topology,
    output: &'t Output,
    live: Live,
    session: Session<'t>,
    recorder: Option<Recorder>,
    outputs: Outputs,
    signals: Signals,
    places: Places,
    state: Capturing,
    /// When an interface went away, by number.
    gone: Vec<Option<CaptureTime>>,
    begun: Instant,
    /// The system's clock less the one that nobody sets.
    offset: i64,
    frames: u64,
    recording_failed: bool,
    dropped: (u64, u64),
    /// What sessions before this one counted: messages, control segments, others.
    earlier: [u64; 3],
}

impl<'t> Run<'t> {
    pub fn new(
        (job, output): (&'t CaptureJob, &'t Output),
        topology: &'t Topology,
        (live, taps): (Live, Vec<Described>),
        recorder: Option<Recorder>,
        outputs: Outputs,
        signals: Signals,
    ) -> Self {
        let begins = |tap: &Described| TapState {
            interface: tap.interface.clone(),
            zone: tap.zone.clone(),
            open: true,
            ..TapState::default()
        };
        let state = Capturing { taps: taps.iter().map(begins).collect(), ..Capturing::default() };
        let gone = vec![None; taps.len()];
        let mut places = Places::new(taps);
        let mut session = Session::new(topology, options());
        places.announce(&mut session, recorder.as_ref());
        let begun = Instant::now();
        Self {
            job,
            topology,
            output,
            live,
            session,
            recorder,
            outputs,
            signals,
            places,
            state,
            gone,
            begun,
            offset: now().0,
            frames: 0,
            recording_failed: false,
            dropped: (0, 0),
            earlier: [0; 3],
        }
    }

    /// Runs until a signal, a limit or the end of all interfaces.
    pub fn run(mut self) -> Exit {
        let (mut tick, mut look) = (Instant::now() + TICK, Instant::now() + TICK);
        let mut deadline = Instant::now() + PAUSE;
        let mut exit = Exit::Done;
        loop {
            match self.live.next(deadline) {
                Event::Frame(frame) => {
                    take(
                        &frame,
                        &mut self.session,
                        self.recorder.as_mut(),
                        &mut self.outputs,
                        &mut self.places,
                        &mut self.state,
                    );
                    self.frames += 1;
                    if self.job.stop.packets.is_some_and(|most| self.frames >= most) {
                        break;
                    }
                    // Time is looked at when some have passed: asking for it costs as much as a frame.
                    if !self.frames.is_multiple_of(64) {
                        continue;
                    }
                }
                Event::Lost(tap, loss) => self.lost(tap, loss),
                Event::Gone(tap, why) => {
                    let why = why.to_owned();
                    self.turned(tap, false, &why);
                }
                Event::Back(tap, promiscuous) => self.back(tap, promiscuous),
                Event::Failed(tap, why) => {
                    let why = why.to_owned();
                    self.turned(tap, false, &why);
                    exit = Exit::Partial;
                }
                Event::Idle => {}
                Event::Ended => break,
            }
            let instant = Instant::now();
            if instant < deadline {
                continue;
            }
            deadline = instant + PAUSE;
            if self.signals.is_over() || self.outputs.is_over() || self.is_enough() {
                break;
            }
            if self.signals.reopens() {
                self.reopen();
            }
            if self.signals.counts() {
                let counters = self.counters();
                self.tell(&counters);
            }
            if instant >= tick {
                tick = instant + TICK;
                self.tick();
            }
            if let Some(every) = self.outputs.look_every().filter(|_| instant >= look) {
                self.look();
                look = Instant::now() + every.max(instant.elapsed() * LOOK_SHARE);
            }
        }
        self.finish(exit)
    }

    /// What is long over is settled, what waits is written, and the clock is held against the other one.
    fn tick(&mut self) {
        self.watch_clock();
        if let Some(recorder) = &mut self.recorder {
            recorder.tick(now());
        }
        self.watch_recording();
        let clock = self.live.until().plus(-SECOND / 10);
        let Self { session, outputs, .. } = self;
        session.tick(clock, &mut |batch| outputs.settled(batch));
        for trouble in self.outputs.troubles() {
            self.tell(&trouble);
        }
        let dropped = self.outputs.dropped();
        if dropped.0 > self.dropped.0 {
            let lines = dropped.0 - self.dropped.0;
            self.tell(&format!(
                "{lines} lines were dropped, because standard output is not read fast enough"
            ));
        }
        if dropped.1 > self.dropped.1 {
            let rows = dropped.1 - self.dropped.1;
            self.tell(&format!("{rows} rows of tables were dropped, because the disk is too slow"));
        }
        self.dropped = dropped;
        if self.session.is_used_up() {
            self.renew("so many messages were captured that their numbers come to an end");
        }
    }

    /// A look at what is not settled yet, for whoever wants to know now.
    fn look(&mut self) {
        let clock = self.live.until();
        let Self { session, outputs, .. } = self;
        let peek = session.peek(clock, &mut |batch| outputs.settled(batch));
        self.describe(clock);
        self.outputs.peeked(&peek, &self.session, &self.state);
    }

    /// Brings what is told about the capturing side up to date.
    fn describe(&mut self, clock: CaptureTime) {
        let state = &mut self.state;
        state.clock = clock;
        state.backlog = (self.live.backlog(), BACKLOG);
        state.held = self.session.held().collect();
        state.recording = self.recorder.as_ref().map(|recorder| {
            let trouble = recorder.trouble().map(ToString::to_string);
            (recorder.path().unwrap_or(std::path::Path::new("")).to_owned(), recorder.size(), trouble)
        });
        state.unrecorded = self.recorder.as_ref().map_or(0, Recorder::unwritten);
        state.lines_dropped = self.dropped.0;
        let counts = self.session.counts();
        for tap in &mut state.taps {
            let (mut messages, mut control) = (0, 0);
            for source in self.session.sources().iter() {
                if source.zone == tap.zone && source.interface.as_ref() == Some(&tap.interface) {
                    let own = counts.sources.get(source.id.0 as usize).copied().unwrap_or_default();
                    (messages, control) = (messages + own.messages, control + own.control);
                }
            }
            (tap.messages, tap.control) = (messages, control);
        }
    }

    /// A note to standard error, kept for those who look later.
    fn tell(&mut self, words: &str) {
        if !self.outputs.has_terminal() {
            self.output.note(&escape(words));
        }
        self.state.notes.push((now(), words.to_owned()));
        if self.state.notes.len() > NOTES {
            self.state.notes.remove(0);
        }
    }

    fn name(&self, tap: usize) -> String {
        self.state.taps.get(tap).map_or_else(String::new, |tap| tap.interface.clone())
    }

    fn lost(&mut self, tap: usize, loss: Loss) {
        let Loss { from, to, kernel, queue } = loss;
        if let Some(state) = self.state.taps.get_mut(tap) {
            state.dropped_kernel += kernel;
            state.dropped_queue += queue;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.lost(tap, from, to, kernel + queue);
        }
        if let Some(source) = self.places.source(tap) {
            self.session.lost(source, (from, to), kernel + queue);
        }
        let who = if queue > 0 {
            "because the analysis was too slow"
        } else {
            "by the kernel, whose buffer was full (-B)"
        };
        let name = self.name(tap);
        self.tell(&format!("{name}: {} frames were dropped {who}", kernel + queue));
    }

    fn turned(&mut self, tap: usize, on: bool, why: &str) {
        let time = now();
        if let Some(state) = self.state.taps.get_mut(tap) {
            state.open = on;
        }
        if let Some(gone) = self.gone.get_mut(tap) {
            *gone = (!on).then_some(gone.unwrap_or(time));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.turned(tap, time, on);
        }
        let name = self.name(tap);
        self.tell(&format!("{name}: {why}"));
    }

    fn back(&mut self, tap: usize, promiscuous: bool) {
        let since = self.gone.get(tap).copied().flatten();
        let words = if promiscuous {
            "the interface is there again"
        } else {
            "the interface is there again; frames for others may not show any more, because the wish to see them went \
             with the old one (--keep-net-raw keeps the right to ask anew)"
        };
        self.turned(tap, true, words);
        if let (Some(since), Some(source)) = (since, self.places.source(tap)) {
            self.session.lost(source, (since, now()), 0);
        }
    }

    /// Outputs go on in new files.
    fn reopen(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.reopen(now());
        }
        self.outputs.reopen();
        self.tell("the outputs were reopened");
    }

    fn watch_recording(&mut self) {
        let Some(recorder) = &self.recorder else { return };
        let (trouble, unwritten) = (recorder.trouble().map(ToString::to_string), recorder.unwritten());
        if let Some(trouble) = trouble.as_ref().filter(|_| !self.recording_failed) {
            self.tell(&format!(
                "cannot record: {trouble}; the analysis goes on, and recording is tried again"
            ));
        } else if trouble.is_none() && self.recording_failed {
            self.tell(&format!("recording goes on; {unwritten} frames are not in any file"));
        }
        self.recording_failed = trouble.is_some();
    }

    /// Frames carry the system's clock, which somebody may set.
    fn watch_clock(&mut self) {
        let elapsed = i64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        let offset = now().0.saturating_sub(elapsed);
        let step = offset.saturating_sub(self.offset);
        self.offset = offset;
        if step.saturating_abs() < STEP_NS {
            return;
        }
        let seconds = step as f64 / SECOND as f64;
        if step.saturating_abs() < BREAK_NS {
            self.tell(&format!("the clock was set by {seconds:+.3} s"));
        } else {
            self.renew(&format!("the clock was set by {seconds:+.3} s"));
        }
    }

    /// Ends the session and begins another, because what comes cannot be put beside what was.
    fn renew(&mut self, why: &str) {
        self.earlier = self.counted();
        let mut next = Session::new(self.topology, options());
        next.number_from(self.session.next_exchange());
        let session = std::mem::replace(&mut self.session, next);
        let outputs = &mut self.outputs;
        let last = session.finish(&mut |batch| outputs.settled(batch));
        outputs.renew(&last);
        self.places.forget();
        self.places.announce(&mut self.session, self.recorder.as_ref());
        self.tell(&format!("{why}: exchanges and states begin anew"));
    }

    fn is_enough(&self) -> bool {
        let stop = &self.job.stop;
        let recorder = self.recorder.as_ref();
        stop.duration.is_some_and(|duration| self.begun.elapsed() >= duration)
            || stop.bytes.is_some_and(|bytes| recorder.is_some_and(|it| it.begun() > 1 || it.size() >= bytes))
            || stop.files.is_some_and(|files| recorder.is_some_and(|it| it.begun() > files))
    }

    /// Messages, control segments and others so far.
    fn counted(&self) -> [u64; 3] {
        let counts = self.session.counts().total();
        let [messages, control, others] = self.earlier;
        [messages + counts.messages, control + counts.control, others + counts.skipped()]
    }

    /// What was captured so far, in a line.
    fn counters(&self) -> String {
        let [messages, control, others] = self.counted();
        let sum = |of: fn(&TapState) -> u64| self.state.taps.iter().map(of).sum::<u64>();
        let (kernel, queue) = (sum(|tap| tap.dropped_kernel), sum(|tap| tap.dropped_queue));
        let (lines, rows) = self.outputs.dropped();
        let unrecorded = self.recorder.as_ref().map_or(0, Recorder::unwritten);
        format!(
            "{} frames: {messages} DHCP messages, {control} control segments, {others} others; dropped: {kernel} by the \
             kernel, {queue} by dorascope, {lines} lines, {rows} rows; {unrecorded} frames not recorded",
            messages + control + others,
        )
    }

    fn finish(mut self, exit: Exit) -> Exit {
        self.live.stop();
        // What the threads have read is still taken, unless the user asked for so many frames.
        let enough = self.job.stop.packets.is_some_and(|most| self.frames >= most);
        while let Some(live) = (!enough).then_some(&mut self.live) {
            match live.next(Instant::now() + PAUSE) {
                Event::Frame(frame) => {
                    take(
                        &frame,
                        &mut self.session,
                        self.recorder.as_mut(),
                        &mut self.outputs,
                        &mut self.places,
                        &mut self.state,
                    );
                }
                Event::Lost(tap, loss) => self.lost(tap, loss),
                Event::Ended => break,
                _ => {}
            }
        }
        let counters = self.counters();
        let Self { session, mut outputs, recorder, output, .. } = self;
        if let Some(mut recorder) = recorder {
            recorder.finish();
            if let Some(trouble) = recorder.trouble() {
                output.error(&format!("cannot record: {trouble}"));
            }
        }
        let last = session.finish(&mut |batch| outputs.settled(batch));
        outputs.finish(&last, now(), output);
        output.note(&counters);
        exit
    }
}

/// One frame: recorded, then analysed.
fn take(
    frame: &LiveFrame<'_>,
    session: &mut Session<'_>,
    mut recorder: Option<&mut Recorder>,
    outputs: &mut Outputs,
    places: &mut Places,
    state: &mut Capturing,
) {
    let LiveFrame { tap, time, link, original_len, data } = *frame;
    let place = recorder.as_mut().map(|recorder| recorder.frame(tap, time, original_len, data));
    let at = places.of(session, tap, recorder.as_deref().zip(place));
    if let Some(state) = state.taps.get_mut(tap) {
        state.frames += 1;
    }
    session.take(&Frame { time, at, link, original_len, data }, &mut |batch| outputs.settled(batch));
}

/// How a live capture is analysed.
fn options() -> Options {
    Options { sentences: true, threads: 1, ..Options::default() }
}
