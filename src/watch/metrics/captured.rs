//! What the capturing side says of itself, and the messages and frames that the session counted.

use std::collections::BTreeMap;

use super::families::Capture;
use super::names::Names;
use super::seconds;
use crate::dhcp::MessageType;
use crate::pipeline::{Analysis, Session};
use crate::watch::Capturing;

/// The name of a message type, of which there are not more than the registered ones.
fn type_name(kind: Option<MessageType>) -> &'static str {
    kind.map_or("BOOTP", |kind| kind.name().unwrap_or("unknown"))
}

/// Messages and skipped frames.
pub(super) fn count(capture: &Capture, names: &mut Names, peek: &Analysis<'_>, session: &Session<'_>) {
    let zone = |at: u16| session.zones().get(usize::from(at)).map_or("", String::as_str);
    // Who comes first has a name; so that this is no matter of chance, it is in order.
    let mut tally: Vec<_> = session.tally().iter().collect();
    tally.sort_unstable_by_key(|(zone, kind, server, _)| (*zone, *server, kind.map(|kind| kind.0)));
    // An address may have another name than before, since the servers are known.
    capture.messages.clear();
    for (place, kind, server, number) in tally {
        let reply = kind.is_some_and(MessageType::is_reply);
        let server = match server {
            Some(address) => names.at(&peek.network, address),
            None if reply => "other".to_owned(),
            None => String::new(),
        };
        capture.messages.add([zone(place.0), type_name(kind), &server], number);
    }
    let mut skipped: BTreeMap<(&str, &'static str), u64> = BTreeMap::new();
    for (source, counts) in session.sources().iter().zip(&session.counts().sources) {
        for (reason, number) in counts.reasons() {
            *skipped.entry((source.zone.as_str(), reason)).or_default() += number;
        }
    }
    for ((zone, reason), number) in skipped {
        capture.skipped.total([zone, reason], number);
    }
}

/// Interfaces, memory and the recording.
pub(super) fn set(capture: &Capture, capturing: &Capturing) {
    for tap in &capturing.taps {
        let labels = [tap.zone.as_str(), tap.interface.as_str()];
        capture.frames.total(labels, tap.frames);
        capture.control.total(labels, tap.control);
        capture.dropped.total([labels[0], labels[1], "kernel"], tap.dropped_kernel);
        capture.dropped.total([labels[0], labels[1], "queue"], tap.dropped_queue);
        capture.up.set(labels, f64::from(u8::from(tap.open)));
    }
    let (waiting, limit) = capturing.backlog;
    capture.backlog.set([], waiting as f64);
    capture.backlog_limit.set([], limit as f64);
    if let Some((_, bytes, trouble)) = &capturing.recording {
        capture.recording_up.set([], f64::from(u8::from(trouble.is_none())));
        capture.recording_bytes.set([], *bytes as f64);
    }
    capture.unrecorded.total([], capturing.unrecorded);
    capture.lines_dropped.total([], capturing.lines_dropped);
    for (what, number) in &capturing.held {
        match what.strip_suffix(" bytes") {
            Some(what) => capture.held_bytes.set([what], *number as f64),
            None => capture.held.set([what], *number as f64),
        }
    }
    capture.clock.set([], seconds(capturing.clock));
}
