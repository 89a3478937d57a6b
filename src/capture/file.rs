//! One capture input from opening to its end: which sources it has, its next
//! frame, and what went wrong with it.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Source;
use super::compress::{decompress, open_file};
use super::identify::{Format, Recognised, Unfit, identify};
use super::record::{FormatReader, Interface, Missing, Packet};
use super::source::{Sources, stem};
use super::trouble::{Cut, Fault, Trouble, TroubleKind};
use super::window::Window;
use super::{Frame, Input, LinkType};
use crate::units::{CaptureTime, FrameRef, SourceId};

/// Tables of the reader that a file adds to.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) sources: Sources,
    pub(super) troubles: Vec<Trouble>,
    /// Where frames are missing, since somebody asked.
    pub(super) losses: Vec<(SourceId, CaptureTime, CaptureTime)>,
}

/// One input.
pub(super) struct CaptureFile {
    input: Input,
    name: String,
    open: Option<Open>,
    head: Option<Head>,
    /// Source and link type of each interface, by its position in the format reader.
    ids: Vec<(SourceId, LinkType)>,
    /// Finds the source again that an earlier section, or an earlier opening
    /// of the same file, declared at the same position with the same name.
    known: HashMap<(u32, Option<String>, LinkType), SourceId>,
    /// Number of the last frame read, as Wireshark shows it.
    number: u64,
    /// Time of the frame before, for frames without one and to see disorder.
    previous: Option<CaptureTime>,
    /// Size in bytes; `None` for standard input, a pipe or a device.
    size: Option<u64>,
    consumed: Arc<AtomicU64>,
}

struct Open {
    window: Window,
    reader: Format,
    format: String,
    decompressed: bool,
}

/// The frame that is given next.
struct Head {
    time: CaptureTime,
    at: FrameRef,
    link: LinkType,
    original_len: u32,
    data: Range<usize>,
    untimed: bool,
    /// When the frame before it in the file was captured.
    previous: Option<CaptureTime>,
}

impl CaptureFile {
    pub(super) fn new(input: Input) -> Self {
        Self {
            name: input.path.to_string_lossy().into_owned(),
            input,
            open: None,
            head: None,
            ids: Vec::new(),
            known: HashMap::new(),
            number: 0,
            previous: None,
            // An input that cannot be opened adds nothing to the progress.
            size: Some(0),
            consumed: Arc::default(),
        }
    }

    /// Opens the file, or reads from `stdin` when it is given, and reads up to
    /// the first frame.
    pub(super) fn open(&mut self, stdin: Option<Box<dyn Read + Send>>, ledger: &mut Ledger) {
        let raw = match stdin {
            Some(stdin) => {
                self.size = None;
                stdin
            }
            None => match open_file(&self.input.path) {
                Ok(facts) => {
                    self.size = facts.size;
                    Box::new(facts.file)
                }
                Err(why) => return self.unusable(why, ledger),
            },
        };
        self.consumed = Arc::default();
        let stream = match decompress(raw, Arc::clone(&self.consumed)) {
            Ok(stream) => stream,
            Err(error) => return self.unusable(error.to_string(), ledger),
        };
        let mut window = Window::new(stream.bytes);
        let decompressed = stream.compression.is_some();
        match identify(&mut window) {
            Ok(Recognised { reader, format }) => {
                let format = stream.compression.map_or(format.to_owned(), |c| format!("{format}+{c}"));
                (self.number, self.previous) = (0, None);
                self.ids.clear();
                self.open = Some(Open { window, reader, format, decompressed });
                self.advance(ledger);
            }
            Err(Unfit::NotACapture(why)) => self.unusable(why, ledger),
            Err(Unfit::Header(fault)) => self.cut(fault, window.offset(), decompressed, ledger),
        }
    }

    /// When the head frame was captured; `None` when there is none.
    #[inline]
    pub(super) fn head_time(&self) -> Option<CaptureTime> {
        self.head.as_ref().map(|head| head.time)
    }

    /// Whether the file can be closed now and opened again when its head is due.
    pub(super) const fn can_park(&self) -> bool {
        self.size.is_some() && self.open.is_some()
    }

    /// Closes the file but keeps the instant of its head. Many rotated files
    /// are merged this way with few of them open.
    pub(super) fn park(&mut self) {
        self.open = None;
    }

    /// Opens a parked file again.
    pub(super) fn unpark(&mut self, ledger: &mut Ledger) {
        if self.open.is_none() && self.head.take().is_some() {
            self.open(None, ledger);
        }
    }

    /// Reads the next frame's record and makes it the head; closes the file at its end.
    #[inline]
    pub(super) fn advance(&mut self, ledger: &mut Ledger) {
        self.head = None;
        let Some(open) = &mut self.open else { return };
        let next = match open.window.settle() {
            Ok(true) => open.reader.next(&mut open.window),
            Ok(false) => Err(Fault::truncated("the data ends behind a frame, inside its record")),
            Err(error) => Err(error.into()),
        };
        let missing = open.reader.missing();
        if self.ids.len() < open.reader.interfaces().len() {
            self.register(ledger);
        }
        for Missing { interface, from, to } in missing {
            let source = self.ids.get(interface).map(|(source, _)| *source);
            ledger.losses.extend(source.map(|source| (source, from, to)));
        }
        match next {
            Ok(Some(packet)) => self.head = self.make_head(&packet),
            Ok(None) => self.stop(None, ledger),
            Err(fault) => self.stop(Some(fault), ledger),
        }
    }

    /// There are no more frames, because of the fault if there is one.
    #[cold]
    fn stop(&mut self, fault: Option<Fault>, ledger: &mut Ledger) {
        match (fault, &self.open) {
            (Some(fault), Some(open)) => {
                let (offset, decompressed) = (open.window.offset(), open.decompressed);
                self.cut(fault, offset, decompressed, ledger);
            }
            (None, _) if self.ids.is_empty() => {
                self.unusable("declares no interface, so it has no frames".to_owned(), ledger);
            }
            _ => {}
        }
        self.close(ledger);
    }

    /// The head as a frame, counted in its source.
    #[inline]
    pub(super) fn give<'a>(&'a self, sources: &mut Sources) -> Option<Frame<'a>> {
        let (head, open) = (self.head.as_ref()?, self.open.as_ref()?);
        let source = sources.of_mut(head.at.source)?;
        if head.untimed {
            source.frames += 1;
            source.untimed += 1;
        } else {
            source.count(head.time, head.previous);
        }
        Some(Frame {
            time: head.time,
            at: head.at,
            link: head.link,
            original_len: head.original_len,
            data: open.window.bytes(head.data.clone()),
        })
    }

    /// Bytes read of the file itself, and its size where it has one.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        (self.consumed.load(Ordering::Relaxed), self.size)
    }

    #[inline]
    fn make_head(&mut self, packet: &Packet) -> Option<Head> {
        let (source, link) = self.ids.get(packet.interface).copied()?;
        self.number += u64::from(packet.passed) + 1;
        let previous = self.previous;
        let time = packet.time.or(previous).unwrap_or_default();
        self.previous = Some(time);
        Some(Head {
            time,
            at: FrameRef { source, number: self.number },
            link,
            original_len: packet.original_len,
            data: packet.data.clone(),
            untimed: packet.time.is_none(),
            previous,
        })
    }

    /// Makes sources of the interfaces that were declared since the last call.
    #[cold]
    fn register(&mut self, ledger: &mut Ledger) {
        let Some(open) = &self.open else { return };
        let interfaces = open.reader.interfaces();
        // Interfaces that come after the first frame cannot change a zone that
        // frames already carry, so the first batch decides whether there is one.
        let single = self.known.is_empty() && interfaces.len() == 1;
        for interface in interfaces.get(self.ids.len()..).unwrap_or_default() {
            let key = (interface.index, interface.name.clone(), interface.link);
            let id = *self.known.entry(key).or_insert_with(|| {
                let id = SourceId(ledger.sources.len() as u32);
                let zone = zone(&self.input, interface, single);
                ledger.sources.0.push(Source {
                    id,
                    name: self.name.clone(),
                    zone,
                    format: open.format.clone(),
                    link: interface.link,
                    interface: interface.name.clone(),
                    snaplen: (interface.snaplen != 0).then_some(interface.snaplen),
                    first: None,
                    last: None,
                    frames: 0,
                    untimed: 0,
                    unordered: 0,
                    dropped_kernel: None,
                    cut: None,
                });
                id
            });
            self.ids.push((id, interface.link));
        }
    }

    /// Ends the file: its drop counters are complete now, its buffer is freed.
    fn close(&mut self, ledger: &mut Ledger) {
        let Some(open) = self.open.take() else { return };
        for (interface, id) in open.reader.interfaces().iter().zip(&self.ids) {
            if let (Some(dropped), Some(source)) = (interface.dropped, ledger.sources.of_mut(id.0)) {
                // Sections that continue a source each count from zero.
                *source.dropped_kernel.get_or_insert(0) += dropped;
            }
        }
    }

    #[cold]
    fn unusable(&self, why: String, ledger: &mut Ledger) {
        ledger.troubles.push(Trouble { name: self.name.clone(), kind: TroubleKind::Unusable(why) });
    }

    #[cold]
    fn cut(&self, fault: Fault, offset: u64, decompressed: bool, ledger: &mut Ledger) {
        let cut = Cut {
            kind: fault.kind,
            what: fault.what,
            offset: fault.offset.unwrap_or(offset),
            decompressed,
            last_frame: self.number,
        };
        for (id, _) in &self.ids {
            if let Some(source) = ledger.sources.of_mut(*id) {
                source.cut = Some(cut.clone());
            }
        }
        ledger.troubles.push(Trouble { name: self.name.clone(), kind: TroubleKind::Cut(cut) });
    }
}

/// The zone of an interface; see [`Source::zone`].
fn zone(input: &Input, interface: &Interface, single: bool) -> String {
    if let Some(zone) = input.zone.as_ref().or(interface.zone.as_ref()) {
        return zone.clone();
    }
    let stem = stem(&input.path);
    match &interface.name {
        _ if single => stem,
        Some(name) => match &interface.description {
            // Windows names interfaces \Device\NPF_{GUID}, which nobody recognises.
            Some(description) if name.starts_with("\\Device\\") => description.clone(),
            _ => name.clone(),
        },
        None => format!("{stem}#{}", interface.index),
    }
}
