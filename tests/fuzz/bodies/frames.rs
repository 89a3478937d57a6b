//! Capture files of any content, down to judgements.

use std::io::Cursor;
use std::net::Ipv4Addr;

use dorascope::capture::{Input, Reader};
use dorascope::dhcp::Message;
use dorascope::findings;
use dorascope::frame::{Decoded, Decoder};
use dorascope::ha::topology::{Server, Topology};
use dorascope::pipeline::{Options, analyze};

use super::place;

/// Two machines, so that the control channel and the decisions have somebody to speak of.
fn topology() -> Topology {
    let server = |name: &str, last| Server {
        name: name.to_owned(),
        addresses: vec![Ipv4Addr::new(192, 168, 4, last)],
        control: vec![(Ipv4Addr::new(192, 168, 4, last), 8000)],
        ..Server::default()
    };
    Topology { servers: vec![server("one", 4), server("two", 5)], ..Topology::default() }
}

/// From a pipe and from a file the same frames come; counters balance, and every message has its place.
pub fn frames(bytes: &[u8]) {
    let pipe = Input { zone: None, path: "-".into() };
    let mut reader = Reader::with_stdin(&[pipe], Box::new(Cursor::new(bytes.to_vec())));
    let mut decoder = Decoder::new();
    let (mut frames, mut datagrams) = (0, 0);
    while let Some(frame) = reader.next() {
        frames += 1;
        let (data, number) = (frame.data.len(), frame.at.number);
        assert!(number > 0 && data <= 1 << 20);
        if let Ok(Decoded::Udp(datagram)) = decoder.decode(&frame)
            && datagram.payload.len() > 1
        {
            datagrams += 1;
            let _ = Message::parse(&datagram.payload, datagram.cut);
        }
    }
    assert_eq!(reader.sources().iter().map(|source| source.frames).sum::<u64>(), frames);

    let path = place::file("capture.pcap", bytes);
    let network = topology();
    let analysis = analyze(&[Input { zone: None, path }], &network, Options::default(), |_| ());
    assert_eq!(analysis.counts.total().frames(), frames);
    assert_eq!(analysis.counts.total().messages, datagrams);
    assert_eq!(analysis.messages.len() as u64, datagrams);
    for source in &analysis.sources {
        let counted = analysis.counts.sources.get(source.id.0 as usize).copied().unwrap_or_default();
        assert_eq!(counted.frames(), source.frames, "{source:?}");
    }
    assert!(analysis.exchanges.len() <= analysis.messages.len());
    assert_eq!(analysis.judgements.len(), analysis.exchanges.len());
    assert!(analysis.messages.iter().all(|message| message.exchange.is_some()));
    for (at, exchange) in analysis.exchanges.iter().enumerate() {
        assert_eq!(exchange.id.0 as usize, at);
    }
    for decision in &analysis.decisions {
        assert!((0.0..=1.0).contains(&decision.confidence), "{decision:?}");
    }
    let found = findings::find(&analysis);
    assert!(found.len() <= 100 + 20 * frames as usize, "{} findings", found.len());
}
