//! Rows that come in batches stand in the order of the whole.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::scribe::Scribe;
use super::stream::{Entries, HELD_ROWS, Place, Ranks, Stream};
use super::tests::Temporary;
use super::*;
use crate::units::{CaptureTime, FrameRef, SourceId};

/// Second source first by name.
fn ranks() -> Ranks {
    Ranks::new(&["b.pcap".to_owned(), "a.pcap".to_owned()])
}

fn place(time: i64, source: u32, number: u64) -> Place {
    (CaptureTime(time), FrameRef { source: SourceId(source), number })
}

/// Rows whose key says where they stand.
fn entries(places: &[Place]) -> Entries<'_> {
    Entries {
        count: places.len(),
        place: Box::new(|at| places[at]),
        push: Box::new(|rows, at| {
            let (time, frame) = places[at];
            let key = format!("{}/{}/{}", time.0, frame.source.0, frame.number);
            rows.push(&crate::cells![key, "", 0u8, ""]);
        }),
    }
}

/// The keys of a file to which these batches were written, and how many rows came too late.
fn written(name: &str, batches: &[(Vec<Place>, Option<i64>)]) -> (Vec<String>, u64) {
    let temporary = Temporary::new(name);
    let directory = Directory::create(&temporary.0, false).unwrap();
    let (scribe, desks) = Scribe::new(vec![directory.table(&schema::HASH, Format::Csv).unwrap()], false);
    let mut stream = Stream::new(desks.into_iter().next(), &schema::HASH);
    for (places, until) in batches {
        stream.take(&entries(places), &ranks(), until.map(CaptureTime)).unwrap();
    }
    stream.finish().unwrap();
    scribe.finish().unwrap();
    let text = std::fs::read_to_string(temporary.0.join("hash.csv")).unwrap();
    let key = |line: &str| line.split(',').next().unwrap().to_owned();
    (text.lines().skip(1).map(key).collect(), stream.late().1)
}

#[test]
fn batches_are_ordered_as_one() {
    let first = vec![place(5, 0, 1), place(1, 0, 9), place(9, 1, 1), place(9, 0, 1)];
    let second = vec![place(7, 1, 2), place(9, 1, 7), place(5, 1, 1), place(20, 0, 3)];
    let keys = |(keys, late): (Vec<String>, u64)| {
        assert_eq!(late, 0);
        keys
    };
    let expected = ["1/0/9", "5/1/1", "5/0/1", "7/1/2", "9/1/1", "9/1/7", "9/0/1", "20/0/3"];
    let batches = [(first.clone(), Some(5)), (second.clone(), Some(9)), (vec![], None)];
    assert_eq!(keys(written("batches", &batches)), expected);
    let whole = [first, second].concat();
    assert_eq!(keys(written("whole", &[(whole, None)])), expected);
}

#[test]
fn held_rows_are_few() {
    let many: Vec<Place> = (0..HELD_ROWS + 3).map(|at| place(at.try_into().unwrap(), 0, 0)).collect();
    let (rows, late) = written("held", &[(many, Some(0)), (vec![place(1, 1, 0), place(8, 1, 0)], None)]);
    // Three were written because there is no room, so what comes for their place is late.
    assert_eq!(rows[..4], ["0/0/0", "1/0/0", "2/0/0", "1/1/0"]);
    assert_eq!((rows.len(), rows[9].as_str(), late), (HELD_ROWS + 5, "8/1/0", 1));
}

#[test]
fn rows_may_be_held_for_many_batches() {
    // Each batch leaves most of its rows to the end, and some to the next batch.
    let batch = |at: i64| {
        (0..40).map(move |row: u32| {
            let time = if row < 10 { 2 * at } else { 1000 } + i64::from(row);
            place(time, 0, at.unsigned_abs() * 40 + u64::from(row))
        })
    };
    let batches: Vec<_> =
        (0..50).map(|at| (batch(at).collect(), Some(2 * at))).chain([(vec![], None)]).collect();
    let whole: Vec<Place> = (0..50).flat_map(batch).collect();
    assert_eq!(written("many", &batches), (written("many-whole", &[(whole, None)]).0, 0));
}
