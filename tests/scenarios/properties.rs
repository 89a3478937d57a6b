//! What must hold for every capture, whatever is in it.

use std::collections::HashMap;
use std::time::Instant;

use dorascope::capture::Input;
use dorascope::exchange::lease::Lease;
use dorascope::exchange::{Exchange, PairLimits, Step};
use dorascope::findings::find;
use dorascope::ha::decide::Decision;
use dorascope::ha::topology::Topology;
use dorascope::pipeline::{Analysis, analyze};
use dorascope::units::{FrameRef, Frames, HwAddr, MessageId};

use super::script::{Dhcp, EPOCH_NS};
use crate::support::files::{Order, PcapFile};
use crate::support::random::Xorshift;
use crate::support::temp::TempDir;

/// Every message stands in exactly one exchange, and names that exchange.
pub fn every_message_has_one_exchange(analysis: &Analysis<'_>) {
    let mut seen: HashMap<MessageId, u32> = HashMap::new();
    for exchange in &analysis.exchanges {
        for id in exchange.queries.iter().chain(&exchange.replies).flat_map(Step::sightings) {
            *seen.entry(id).or_default() += 1;
            assert_eq!(analysis.message(id).exchange, Some(exchange.id));
        }
    }
    assert_eq!(seen.len(), analysis.messages.len(), "a message is in no exchange");
    assert!(seen.values().all(|count| *count == 1), "a message is in two exchanges");
}

fn mac(client: u32) -> HwAddr {
    let [a, b, c, d] = client.to_be_bytes();
    HwAddr::new(&[8, 0, a, b, c, d])
}

/// A client that does anything in any order, often twice, with few xids and addresses.
fn restless_client(client: u32, random: &mut Xorshift) -> Vec<(i64, Dhcp)> {
    let mut time = EPOCH_NS + i64::from(random.below(5_000) as u32) * 1_000_000;
    let (mut messages, servers) = (Vec::<(i64, Dhcp)>::new(), [[10, 0, 0, 1], [10, 0, 0, 2]]);
    for _ in 0..30 + random.below(30) {
        time += [1_000_000, 30_000_000, 300_000_000, 1_500_000_000, 12_000_000_000, 80_000_000_000]
            [random.below(6)];
        if random.below(5) == 0
            && let Some((_, last)) = messages.last()
        {
            messages.push((time, last.clone()));
            continue;
        }
        let kind = [
            Some(1),
            Some(1),
            Some(2),
            Some(3),
            Some(3),
            Some(4),
            Some(5),
            Some(5),
            Some(6),
            Some(7),
            Some(8),
            None,
        ][random.below(12)];
        let mut message = Dhcp::new(kind, mac(client));
        let address = [10, 0, 0, 10 + random.below(2) as u8].into();
        let server = servers[random.below(2)].into();
        message.xid = random.below(3) as u32;
        message.secs = random.below(2) as u16 * 4;
        if random.below(3) == 0 {
            message.giaddr = [10, 0, 0, 254].into();
            message.src = message.giaddr;
            message.dst = server;
        }
        if matches!(kind, Some(2 | 5 | 6)) {
            (message.src, message.dst, message.server_id) = (server, message.giaddr, Some(server));
            message.yiaddr = if kind == Some(6) { [0; 4].into() } else { address };
            message.lease = Some(1 + random.below(100) as u32);
            if message.giaddr.is_unspecified() {
                message.dst = [255; 4].into();
            }
        } else {
            message.client_id = (random.below(4) == 0).then(|| vec![0, random.below(2) as u8]);
            message.server_id = (random.below(2) == 0).then_some(server);
            message.requested = (random.below(2) == 0).then_some(address);
            if random.below(3) == 0 {
                message.ciaddr = address;
                message.src = address;
            }
        }
        messages.push((time, message));
    }
    messages
}

fn file(messages: &[(i64, Dhcp)]) -> Vec<u8> {
    let file = PcapFile::nano(Order::Little, 1);
    messages
        .iter()
        .fold(file, |file, (time, message)| file.frame(time.cast_unsigned(), &message.frame()))
        .bytes
}

fn inputs(folder: &TempDir, files: &[&[(i64, Dhcp)]]) -> Vec<Input> {
    let input = |(at, messages): (usize, &&[(i64, Dhcp)])| Input {
        zone: Some("lan".to_owned()),
        path: folder.file(&format!("{at}.pcap"), &file(messages)),
    };
    files.iter().enumerate().map(input).collect()
}

/// A client's exchanges without the numbers that depend on other clients.
fn exchanges_of(analysis: &Analysis<'_>, client: HwAddr) -> Vec<String> {
    let of = |exchange: &&Exchange| exchange.client.chaddr == client;
    let list = analysis.exchanges.iter().filter(of).map(|exchange| {
        let times = |steps: &[Step]| -> Vec<Vec<i64>> {
            let step =
                |step: &Step| step.sightings().map(|id| analysis.message(id).time.0 - EPOCH_NS).collect();
            steps.iter().map(step).collect()
        };
        let (id, xid, kind) = (&exchange.client.client_id, exchange.xid, exchange.kind);
        let outcome = exchange.outcome(&analysis.messages);
        let (queries, replies) = (times(&exchange.queries), times(&exchange.replies));
        format!("{id:?} {xid} {kind:?} {queries:?} {replies:?} {outcome}")
    });
    list.collect()
}

#[test]
fn clients_do_not_disturb_each_other() {
    let topology = Topology::default();
    for seed in 1..=20 {
        let random = &mut Xorshift(seed);
        let clients: Vec<Vec<(i64, Dhcp)>> = (0..6).map(|client| restless_client(client, random)).collect();
        let mut all: Vec<(i64, Dhcp)> = clients.concat();
        all.sort_by_key(|(time, _)| *time);
        let folder = TempDir::new("interleaved");
        let together = analyze(&inputs(&folder, &[&all]), &topology, PairLimits::default(), |_| {});
        assert_eq!(together.messages.len(), all.len());
        every_message_has_one_exchange(&together);
        for (client, messages) in (0..).zip(&clients) {
            let alone = analyze(&inputs(&folder, &[messages]), &topology, PairLimits::default(), |_| {});
            let client = mac(client);
            assert_eq!(exchanges_of(&alone, client), exchanges_of(&together, client), "seed {seed}");
        }
    }
}

/// Both decide the same, frames apart, which are numbered by file.
fn assert_same_decisions(one: &Analysis<'_>, other: &Analysis<'_>) {
    let text = |analysis: &Analysis<'_>| -> Vec<String> {
        let decision = |it: &Decision| format!("{:?}", Decision { evidence: Frames::new(), ..it.clone() });
        analysis.decisions.iter().map(decision).collect()
    };
    assert_eq!(text(one), text(other));
    assert_eq!(one.judgements, other.judgements);
}

#[test]
fn the_same_capture_gives_the_same_results() {
    let topology = super::network("load-balancing.toml", "pair");
    for seed in 1..=10 {
        let random = &mut Xorshift(seed * 1001);
        let mut all: Vec<(i64, Dhcp)> = (0..6).flat_map(|client| restless_client(client, random)).collect();
        all.sort_by_key(|(time, _)| *time);
        let folder = TempDir::new("again");
        let inputs = inputs(&folder, &[&all]);
        let [one, other] = [(); 2].map(|()| analyze(&inputs, &topology, PairLimits::default(), |_| {}));
        assert_eq!(one.exchanges, other.exchanges);
        assert_eq!(one.decisions, other.decisions);
        assert_eq!(one.judgements, other.judgements);
        assert_eq!(one.leases, other.leases);
        assert_eq!(find(&one), find(&other));
    }
}

#[test]
fn a_capture_in_many_files_is_the_same_capture() {
    let topology = super::network("load-balancing.toml", "pair");
    for seed in 1..=20 {
        let random = &mut Xorshift(seed * 77);
        let mut all: Vec<(i64, Dhcp)> = (0..6).flat_map(|client| restless_client(client, random)).collect();
        all.sort_by_key(|(time, _)| *time);
        let folder = TempDir::new("split");
        let whole = analyze(&inputs(&folder, &[&all]), &topology, PairLimits::default(), |_| {});
        let parts: Vec<&[(i64, Dhcp)]> = all.chunks(1 + random.below(40)).collect();
        let split = analyze(&inputs(&folder, &parts), &topology, PairLimits::default(), |_| {});
        assert_eq!(whole.exchanges, split.exchanges, "seed {seed}, {} files", parts.len());
        assert_eq!(whole.answers, split.answers);
        // The frames of one capture have other numbers in many files.
        let anywhere = |leases: &[Lease]| -> Vec<Lease> {
            leases.iter().map(|lease| Lease { ack: FrameRef::default(), ..lease.clone() }).collect()
        };
        assert_eq!(anywhere(&whole.leases), anywhere(&split.leases));
        assert_same_decisions(&whole, &split);
    }
}

/// Number of the message to the message.
type Flood = fn(u32) -> Dhcp;

/// What a stuck client or an attacker sends.
const FLOODS: &[(&str, Flood)] = &[
    ("every client uses one xid", |n| flood(n, 7)),
    ("one client, every message with a new xid", |n| flood(0, n)),
    ("one client, one xid, secs counting", |n| {
        let mut message = flood(0, 7);
        message.secs = n as u16;
        message
    }),
    ("the same frame for ever", |_| flood(0, 7)),
    ("no hardware address, one xid", |n| {
        let mut message = flood(0, 7);
        (message.mac, message.secs) = (HwAddr::default(), n as u16);
        message
    }),
    ("one client identifier, every message from another hardware address", |n| {
        let mut message = flood(n, n);
        message.client_id = Some(vec![0, 1, 2, 3]);
        message
    }),
    ("one hardware address, every message with another client identifier", |n| {
        let mut message = flood(0, 7);
        message.client_id = Some(n.to_be_bytes().to_vec());
        message
    }),
    ("every query through another relay", |n| {
        let mut message = flood(n, n);
        let [_, b, c, d] = n.to_be_bytes();
        message.giaddr = [10, b, c, d].into();
        (message.src, message.dst) = (message.giaddr, [10, 0, 0, 1].into());
        message
    }),
    ("one DISCOVER, every OFFER by another server", |n| {
        let mut message = flood(n / 2, 7);
        if n % 2 == 1 {
            let [_, b, c, d] = n.to_be_bytes();
            message.kind = Some(2);
            message.src = [11, b, c, d].into();
            message.server_id = Some(message.src);
            message.yiaddr = [12, b, c, d].into();
        }
        message
    }),
];

fn flood(client: u32, xid: u32) -> Dhcp {
    let mut message = Dhcp::new(Some(1), mac(client));
    message.xid = xid;
    message
}

/// Seconds per flood; `step_ns` apart.
fn time_of(flood: Flood, count: u32, step_ns: i64) -> f64 {
    let messages: Vec<(i64, Dhcp)> =
        (0..count).map(|n| (EPOCH_NS + i64::from(n) * step_ns, flood(n))).collect();
    let folder = TempDir::new("flood");
    let inputs = inputs(&folder, &[&messages]);
    let topology = super::network("anomalies.toml", "pair");
    let start = Instant::now();
    let analysis = analyze(&inputs, &topology, PairLimits::default(), |_| {});
    let found = find(&analysis);
    assert!(found.len() <= 8 * analysis.messages.len());
    let seconds = start.elapsed().as_secs_f64();
    every_message_has_one_exchange(&analysis);
    assert_eq!(analysis.messages.len(), count as usize);
    seconds
}

/// Ten times the messages may cost forty times the time, and not a hundred times:
/// a limit that noise does not reach and quadratic work does.
#[test]
fn floods_cost_about_linear_time() {
    let count = std::env::var("FLOOD").map_or(1_000, |n| n.parse().unwrap());
    for (name, flood) in FLOODS {
        let before = time_of(*flood, count, 50_000);
        let many = time_of(*flood, 10 * count, 50_000);
        // The slower one of two, because other tests come and go beside this one.
        let few = before.max(time_of(*flood, count, 50_000));
        let each = many / f64::from(10 * count) * 1e6;
        println!("{name}: {few:.3} s for {count}, {many:.3} s for ten times that, {each:.1} µs each");
        assert!(many < 40.0 * few.max(0.02), "{name}: {few} s, then {many} s");
    }
}
