use super::*;
use crate::dhcp::Message;
use crate::exchange::observed::Envelope;
use crate::frame::Link;
use crate::units::{FrameRef, SECOND};

/// A DISCOVER of a client, `ns` after the epoch.
fn discover(client: u32, xid: u32, ns: i64) -> Observed {
    let mut payload = vec![0; 236];
    (payload[0], payload[1], payload[2]) = (1, 1, 6);
    payload[4..8].copy_from_slice(&xid.to_be_bytes());
    payload[30..34].copy_from_slice(&client.to_be_bytes());
    payload.extend([99, 130, 83, 99, 53, 1, 1, 255]);
    let envelope = Envelope {
        time: CaptureTime(ns),
        at: FrameRef::default(),
        link: Link::default(),
        src: [0; 4].into(),
        dst: [255; 4].into(),
        src_port: 68,
        dst_port: 67,
    };
    Observed::new(envelope, &Message::parse(&payload, false))
}

/// Pairs a message for each number and gives the pairer as it was at its fullest.
fn pair(count: u32, message: impl Fn(u32) -> Observed) -> (Pairer, usize, usize) {
    let (mut pairer, mut messages) = (Pairer::default(), Messages::default());
    let (mut open, mut queued) = (0, 0);
    for n in 0..count {
        messages.push(message(n));
        pairer.push(&messages, MessageId(n));
        if n % 50_000 == 0 {
            let chained = |key| {
                let (count, last) = (pairer.table.of(&key).count(), pairer.table.of(&key).last());
                let own = pairer.table.own(&key).unwrap();
                assert_eq!((own.count, Some(own.oldest)), (count, last.map(|(at, _)| at)));
                count
            };
            let found: usize = pairer.table.keys().map(chained).sum();
            assert_eq!(found, pairer.open);
        }
        open = open.max(pairer.open);
        queued = queued.max(pairer.waiting.len() + pairer.settled.len());
    }
    (pairer, open, queued)
}

fn total(mut pairer: Pairer) -> (usize, u64) {
    pairer.finish();
    let exchanges: Vec<Exchange> = std::iter::from_fn(|| pairer.next_closed()).collect();
    let counts = pairer.counts();
    for (at, exchange) in exchanges.iter().enumerate() {
        assert_eq!(exchange.id.0 as usize, at, "numbers are places");
    }
    (exchanges.iter().map(|exchange| exchange.queries.len()).sum(), counts.evicted)
}

#[test]
fn a_forwarding_loop_does_not_keep_an_exchange_for_ever() {
    let (mut pairer, mut messages) = (Pairer::default(), Messages::default());
    let first = messages.push(discover(1, 1, 0));
    let (exchange, _) = pairer.push(&messages, first);
    messages.get_mut(first).unwrap().exchange = Some(exchange);
    let most = PairLimits::default().sightings;
    for n in 0..most {
        assert!(pairer.next_closed().is_none(), "closed after {n} sightings");
        let again = messages.push(discover(1, 1, 0));
        pairer.sight(&messages, first, again);
    }
    assert_eq!(pairer.next_closed().unwrap().queries[0].again().len(), most);
}

#[test]
fn three_hundred_thousand_clients_stay_within_bounds() {
    let limits = PairLimits::default();
    let (pairer, open, queued) = pair(300_000, |n| discover(n, 1, i64::from(n)));
    assert_eq!(open, limits.open);
    assert!(queued <= 2 * limits.open + 1024 + 1, "{queued}");
    assert_eq!(
        total(pairer),
        (300_000, 300_000 - limits.open as u64),
        "every message is in an exchange, every eviction counted"
    );
}

#[test]
fn one_client_with_a_hundred_thousand_xids_stays_within_bounds() {
    let limits = PairLimits::default();
    let (pairer, open, queued) = pair(100_000, |n| discover(1, n, i64::from(n)));
    assert_eq!(open, limits.per_client);
    assert!(queued <= 2 * limits.per_client + 1024 + 1, "{queued}");
    assert_eq!(total(pairer), (100_000, 100_000 - 64));
}

#[test]
fn one_client_with_one_xid_and_no_end_stays_within_bounds() {
    // At one instant: no clock that advances helps to forget.
    let (pairer, open, queued) = pair(50_000, |_| discover(1, 1, 0));
    assert_eq!(open, 1);
    assert!(queued <= 1027, "{queued}");
    let steps = PairLimits::default().steps;
    assert_eq!(total(pairer), (50_000, (50_000 / steps) as u64));
}

#[test]
fn idle_exchanges_leave_the_table_and_are_no_evictions() {
    let (pairer, open, queued) = pair(10_000, |n| discover(n, 1, i64::from(n) * SECOND));
    assert!(open <= 72 && queued <= 72, "{open} {queued}");
    assert_eq!(total(pairer), (10_000, 0));
}
