use std::path::PathBuf;

use super::{Recorded, Recorder, RingLimits};
use crate::capture::{Input, LinkType, Reader};
use crate::units::CaptureTime;

/// A directory that goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dorascope-recorder-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn interfaces() -> Vec<Recorded> {
    let one = |name: &str, zone: &str| Recorded {
        name: name.to_owned(),
        zone: zone.to_owned(),
        link: LinkType(1),
        snaplen: 262_144,
    };
    vec![one("br0", "zaldua2"), one("br1", "zaldua3")]
}

/// Every frame of a file: zone, number, instant, bytes.
fn read(path: PathBuf) -> Vec<(String, u64, i64, Vec<u8>)> {
    let mut reader = Reader::open(&[Input { zone: None, path }]);
    let mut frames = Vec::new();
    while let Some(frame) = reader.next() {
        frames.push((frame.at.source, frame.at.number, frame.time.0, frame.data.to_vec()));
    }
    assert_eq!(reader.troubles(), []);
    let zone = |id| reader.sources().of(id).unwrap().zone.clone();
    frames.into_iter().map(|(source, number, time, data)| (zone(source), number, time, data)).collect()
}

#[test]
fn what_is_recorded_is_read_back_with_its_zones() {
    let folder = Folder::new("single");
    let path = folder.0.join("lab.pcapng");
    let start = CaptureTime(1_790_000_000_123_456_789);
    let mut recorder = Recorder::create(&path, RingLimits::default(), interfaces(), start).unwrap();
    for at in 0..5_u8 {
        let data = vec![at; 60 + usize::from(at)];
        let place = recorder.frame(usize::from(at % 2), start.plus(i64::from(at)), 2000, &data).unwrap();
        assert_eq!((place.file, place.frame), (1, u64::from(at) + 1));
    }
    recorder.lost(1, start, start.plus(3), 7);
    recorder.finish();
    let frames = read(path.clone());
    let expected: Vec<_> = (0..5_u8)
        .map(|at| {
            let zone = if at % 2 == 0 { "zaldua2" } else { "zaldua3" };
            (zone.to_owned(), u64::from(at) + 1, start.0 + i64::from(at), vec![at; 60 + usize::from(at)])
        })
        .collect();
    assert_eq!(frames, expected);
    let mut reader = Reader::open(&[Input { zone: None, path }]);
    while reader.next().is_some() {}
    let dropped: Vec<_> = reader.sources().iter().map(|source| source.dropped_kernel).collect();
    assert_eq!(dropped, [Some(0), Some(7)]);
}

#[test]
fn a_ring_keeps_the_last_files_and_an_index_of_them() {
    let folder = Folder::new("ring");
    let limits = RingLimits { packets: Some(2), files: Some(3), ..RingLimits::default() };
    let start = CaptureTime(1_790_000_000_000_000_000);
    let mut recorder = Recorder::create(&folder.0.join("lab.pcapng"), limits, interfaces(), start).unwrap();
    let places: Vec<_> = (0..9).map(|at| recorder.frame(0, start.plus(at), 60, &[0; 60]).unwrap()).collect();
    assert_eq!((places[8].file, places[8].frame, places[7].frame), (5, 1, 2));
    recorder.finish();
    // 2026-09-21 14:13:20 UTC, as `date -u -d @1790000000` says.
    let files = folder.files();
    assert_eq!(files.len(), 3, "{files:?}");
    assert_eq!(files[0], "lab.index.jsonl");
    assert_eq!(files[2], "lab_00005_20260921141320.pcapng");
    let index = std::fs::read_to_string(folder.0.join("lab.index.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(index.lines().last().unwrap()).unwrap();
    assert_eq!((last["frames"].as_u64(), last["first_ns"].as_i64()), (Some(1), Some(start.0 + 8)));
    let bytes = std::fs::metadata(folder.0.join(&files[2])).unwrap().len();
    assert_eq!(last["bytes"].as_u64(), Some(bytes));
}

#[test]
fn a_file_that_was_moved_away_is_followed_by_one_of_its_name() {
    let folder = Folder::new("moved");
    let (path, moved) = (folder.0.join("lab.pcapng"), folder.0.join("old.pcapng"));
    let start = CaptureTime(1_790_000_000_000_000_000);
    let mut recorder = Recorder::create(&path, RingLimits::default(), interfaces(), start).unwrap();
    recorder.frame(0, start, 60, &[1; 60]).unwrap();
    recorder.reopen(start);
    assert_eq!(recorder.begun(), 1, "nobody moved it");
    std::fs::rename(&path, &moved).unwrap();
    recorder.reopen(start);
    let place = recorder.frame(0, start, 60, &[2; 60]).unwrap();
    assert_eq!((place.file, place.frame), (2, 1));
    recorder.finish();
    let bytes = |path| read(path).into_iter().map(|frame| frame.3[0]).collect::<Vec<_>>();
    assert_eq!((bytes(moved), bytes(path)), (vec![1], vec![2]));
}
