//! Capture files, byte by byte: written here independently of the readers.

/// A byte order for the numbers of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub fn u16(self, n: u16) -> [u8; 2] {
        if self == Self::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    pub fn u32(self, n: u32) -> [u8; 4] {
        if self == Self::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    pub fn u64(self, n: u64) -> [u8; 8] {
        if self == Self::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }
}

/// A pcap file of nanosecond resolution in the making.
pub struct PcapFile {
    order: Order,
    unit: u64,
    pub bytes: Vec<u8>,
}

impl PcapFile {
    /// A file with microseconds.
    pub fn micro(order: Order, link: u32) -> Self {
        Self::new(order, 0xa1b2_c3d4, 1_000, link)
    }

    /// A file with nanoseconds.
    pub fn nano(order: Order, link: u32) -> Self {
        Self::new(order, 0xa1b2_3c4d, 1, link)
    }

    fn new(order: Order, magic: u32, unit: u64, link: u32) -> Self {
        let mut bytes = Vec::new();
        bytes.extend(order.u32(magic));
        bytes.extend(order.u16(2));
        bytes.extend(order.u16(4));
        bytes.extend([0; 8]);
        bytes.extend(order.u32(65_535));
        bytes.extend(order.u32(link));
        Self { order, unit, bytes }
    }

    /// Adds a frame that was captured whole.
    pub fn frame(self, ns: u64, data: &[u8]) -> Self {
        let original = data.len() as u32;
        self.cut_frame(ns, data, original)
    }

    /// Adds a frame of which only `data` was captured.
    pub fn cut_frame(mut self, ns: u64, data: &[u8], original: u32) -> Self {
        let seconds = (ns / 1_000_000_000) as u32;
        let fraction = (ns % 1_000_000_000 / self.unit) as u32;
        for n in [seconds, fraction, data.len() as u32, original] {
            self.bytes.extend(self.order.u32(n));
        }
        self.bytes.extend(data);
        self
    }
}

/// A pcapng file in the making.
#[derive(Default)]
pub struct PcapngFile {
    order: Option<Order>,
    pub bytes: Vec<u8>,
}

impl PcapngFile {
    fn order(&self) -> Order {
        self.order.unwrap_or(Order::Little)
    }

    /// Adds any block; `body` is padded to 32 bits.
    pub fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let order = self.order();
        let length = (12 + body.len().next_multiple_of(4)) as u32;
        self.bytes.extend(order.u32(kind));
        self.bytes.extend(order.u32(length));
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(order.u32(length));
        self
    }

    /// Begins a section.
    pub fn section(mut self, order: Order) -> Self {
        self.order = Some(order);
        let mut body = order.u32(0x1a2b_3c4d).to_vec();
        body.extend(order.u16(1));
        body.extend(order.u16(0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    /// Declares an interface with options of (code, value).
    pub fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Self {
        let order = self.order();
        let mut body = order.u16(link).to_vec();
        body.extend([0; 2]);
        body.extend(order.u32(snaplen));
        body.extend(options_of(order, options));
        self.block(1, &body)
    }

    /// Adds an Enhanced Packet Block.
    pub fn packet(self, interface: u32, ticks: u64, data: &[u8]) -> Self {
        let order = self.order();
        let mut body = Vec::new();
        for n in [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, data.len() as u32] {
            body.extend(order.u32(n));
        }
        body.extend(data);
        self.block(6, &body)
    }

    /// Adds a Simple Packet Block of a frame that had `original` bytes.
    pub fn simple(self, original: u32, data: &[u8]) -> Self {
        let mut body = self.order().u32(original).to_vec();
        body.extend(data);
        self.block(3, &body)
    }

    /// Adds an obsolete Packet Block.
    pub fn obsolete(self, interface: u16, ticks: u64, data: &[u8]) -> Self {
        let order = self.order();
        let mut body = order.u16(interface).to_vec();
        body.extend(order.u16(0xffff));
        for n in [(ticks >> 32) as u32, ticks as u32, data.len() as u32, data.len() as u32] {
            body.extend(order.u32(n));
        }
        body.extend(data);
        self.block(2, &body)
    }

    /// Adds interface statistics that tell of dropped frames (isb_ifdrop).
    pub fn drops(self, interface: u32, dropped: u64) -> Self {
        let order = self.order();
        let mut body = order.u32(interface).to_vec();
        body.extend([0; 8]);
        body.extend(options_of(order, &[(5, &order.u64(dropped))]));
        self.block(5, &body)
    }
}

fn options_of(order: Order, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (code, value) in options {
        bytes.extend(order.u16(*code));
        bytes.extend(order.u16(value.len() as u16));
        bytes.extend(*value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes.extend([0; 4]);
    bytes
}

/// The bytes as one gzip member.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The bytes as one zstd frame.
pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 1).unwrap()
}
