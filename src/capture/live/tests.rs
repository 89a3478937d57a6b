use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use super::block::Block;
use super::merge::{Event, Lanes};
use super::tap::Shared;
use super::{Interface, default_filter};
use crate::capture::LinkType;
use crate::units::CaptureTime;

fn lanes(count: usize) -> (Lanes, Arc<Shared>) {
    (Lanes::new(std::iter::repeat_n(LinkType(1), count)), Arc::default())
}

/// A block of an interface with frames at these instants, after which nothing came until another one.
fn block(tap: usize, times: &[i64], until: i64) -> Block {
    let mut block = Block::new(tap);
    for time in times {
        block.push(CaptureTime(*time), 60, &time.to_le_bytes());
    }
    block.until = CaptureTime(until);
    block
}

/// The instants of the frames that need not wait.
fn given(lanes: &mut Lanes, ended: bool) -> Vec<i64> {
    let mut times = Vec::new();
    while lanes.choose(ended) {
        let Event::Frame(frame) = lanes.give() else { panic!("only frames were read") };
        assert_eq!(frame.data, frame.time.0.to_le_bytes());
        times.push(frame.time.0);
    }
    times
}

#[test]
fn frames_come_in_time_order_and_wait_for_interfaces_that_may_have_earlier_ones() {
    let (mut lanes, shared) = lanes(2);
    lanes.add(block(0, &[10, 30, 50], 50), &shared);
    assert_eq!(given(&mut lanes, false), [] as [i64; 0], "nothing is known of the other one");
    lanes.add(block(1, &[20], 40), &shared);
    assert_eq!(given(&mut lanes, false), [10, 20, 30]);
    lanes.add(block(1, &[], 60), &shared);
    assert_eq!(given(&mut lanes, false), [50]);
}

#[test]
fn no_frame_waits_long_and_none_at_the_end() {
    let (mut lanes, shared) = lanes(2);
    lanes.add(block(0, &[10], 10), &shared);
    sleep(Duration::from_millis(250));
    assert_eq!(given(&mut lanes, false), [10], "the other interface said nothing");
    lanes.add(block(0, &[20], 20), &shared);
    assert_eq!(given(&mut lanes, true), [20]);
    // What blocks add to it, which is not done here, is taken from it.
    let backlog = shared.backlog.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(backlog.wrapping_add(2 * block(0, &[1], 1).size()), 0);
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let (mut lanes, shared) = lanes(2);
    lanes.add(block(0, &[1_000], 1_000), &shared);
    lanes.add(block(1, &[1_001], 1_001), &shared);
    assert_eq!(given(&mut lanes, false), [1_000]);
    // Both clocks are one, and it was set back by 900.
    lanes.add(block(0, &[101, 103], 103), &shared);
    lanes.add(block(1, &[102], 110), &shared);
    // What was read before stays behind what is earlier by its stamp.
    assert_eq!(given(&mut lanes, true), [101, 103, 1_001, 102]);
}

#[test]
fn interfaces_have_zones() {
    let zoned: Interface = "zaldua2=br0".parse().unwrap();
    assert_eq!((zoned.zone.as_str(), zoned.name.as_str()), ("zaldua2", "br0"));
    let bare: Interface = "br0".parse().unwrap();
    assert_eq!((bare.zone.as_str(), bare.name.as_str()), ("br0", "br0"));
    assert!("=br0".parse::<Interface>().is_err() && "zone=".parse::<Interface>().is_err());
}

#[test]
fn libpcap_knows_the_filter() {
    let dead = pcap::Capture::dead(pcap::Linktype::ETHERNET).unwrap();
    for ports in [&[][..], &[8001, 8002]] {
        dead.compile(&default_filter(ports), true).unwrap();
    }
}
