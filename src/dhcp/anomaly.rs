//! What can be wrong with a DHCP message.

use std::fmt;

/// One oddity of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Anomaly {
    /// What is wrong.
    pub kind: AnomalyKind,
    /// Where, in bytes from the start of the UDP payload.
    pub offset: u16,
    /// The option concerned, if it is about one.
    pub option: Option<u8>,
}

impl Anomaly {
    /// An anomaly of the message itself.
    pub fn at(kind: AnomalyKind, offset: usize) -> Self {
        Self { kind, offset: u16::try_from(offset).unwrap_or(u16::MAX), option: None }
    }

    /// An anomaly of one option.
    pub fn of_option(kind: AnomalyKind, offset: usize, option: u8) -> Self {
        Self { option: Some(option), ..Self::at(kind, offset) }
    }

    /// Five bytes that [`Self::unpack`] reads.
    pub(crate) const fn pack(self) -> [u8; 5] {
        let [high, low] = self.offset.to_be_bytes();
        let (has_option, option) = match self.option {
            Some(option) => (1, option),
            None => (0, 0),
        };
        [self.kind as u8, has_option, option, high, low]
    }

    /// What [`Self::pack`] packed.
    pub(crate) fn unpack([kind, has_option, option, high, low]: [u8; 5]) -> Option<Self> {
        let kind = *AnomalyKind::ALL.get(usize::from(kind))?;
        let option = (has_option != 0).then_some(option);
        Some(Self { kind, offset: u16::from_be_bytes([high, low]), option })
    }
}

/// `option-truncated(12)@310`: code, option, offset.
impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.code())?;
        if let Some(option) = self.option {
            write!(f, "({option})")?;
        }
        write!(f, "@{}", self.offset)
    }
}

/// The kinds of anomaly, each with a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnomalyKind {
    /// The payload ends inside the 236 bytes of the fixed header (RFC 2131 §2).
    HeaderTruncated,
    /// A snap length cut the frame; the end of the message was never captured.
    CutBySnaplen,
    /// The message ends before the magic cookie: plain BOOTP without a vendor area.
    NoCookie,
    /// The four bytes before the options are not 99.130.83.99 (RFC 2131 §3).
    BadCookie,
    /// `hlen` is 0: the message names no hardware address.
    HlenZero,
    /// `hlen` is over 16; only 16 bytes of `chaddr` exist (RFC 2131 §2).
    HlenTooLong,
    /// There is no option 53: BOOTP, or a broken DHCP message (RFC 2131 §3).
    NoMessageType,
    /// Option 53 names a client message in a BOOTREPLY, or a server message in a BOOTREQUEST.
    OpMismatch,
    /// An option's length reaches past the end of its area.
    OptionTruncated,
    /// An option that must hold data is empty (RFC 2132).
    OptionEmpty,
    /// An option of fixed size has another length (RFC 2132).
    OptionBadLength,
    /// The options do not end with option 255 (RFC 2131 §3).
    NoEnd,
    /// Bytes that are not zero follow the end option (RFC 2131 §4.1).
    DataAfterEnd,
    /// Option 52 holds neither 1, 2 nor 3 (RFC 2132 §9.3).
    OverloadInvalid,
    /// A sub-option of option 82 reaches past the option's end (RFC 3046 §2.0).
    RelayTruncated,
}

impl AnomalyKind {
    /// The stable kebab-case code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::HeaderTruncated => "header-truncated",
            Self::CutBySnaplen => "cut-by-snaplen",
            Self::NoCookie => "no-cookie",
            Self::BadCookie => "bad-cookie",
            Self::HlenZero => "hlen-zero",
            Self::HlenTooLong => "hlen-too-long",
            Self::NoMessageType => "no-message-type",
            Self::OpMismatch => "op-mismatch",
            Self::OptionTruncated => "option-truncated",
            Self::OptionEmpty => "option-empty",
            Self::OptionBadLength => "option-bad-length",
            Self::NoEnd => "no-end-option",
            Self::DataAfterEnd => "data-after-end",
            Self::OverloadInvalid => "overload-invalid",
            Self::RelayTruncated => "relay-agent-truncated",
        }
    }

    /// What it means to an operator, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::HeaderTruncated => {
                "The message ends inside its fixed header; fields past the end read as zero."
            }
            Self::CutBySnaplen => {
                "The capture's snap length cut the message; capture again with a larger one."
            }
            Self::NoCookie => "Plain BOOTP without options: a DHCP server drops it or answers as BOOTP.",
            Self::BadCookie => "The options do not start with DHCP's magic cookie; Kea drops such a message.",
            Self::HlenZero => "The client names no hardware address; only option 61 can identify it.",
            Self::HlenTooLong => "hlen is over 16; Kea pads up to 20 and cannot parse more.",
            Self::NoMessageType => "Option 53 is missing: BOOTP, or a broken client.",
            Self::OpMismatch => "op and option 53 contradict each other about who sent the message.",
            Self::OptionTruncated => {
                "An option claims more bytes than there are; it and what follows are lost."
            }
            Self::OptionEmpty => "An option that must carry data is empty.",
            Self::OptionBadLength => "An option of fixed size has another length, so its value is not used.",
            Self::NoEnd => "The end option is missing; most servers accept that.",
            Self::DataAfterEnd => "There is data after the end option that no server reads.",
            Self::OverloadInvalid => "Option 52 has a value that RFC 2132 does not define.",
            Self::RelayTruncated => "Option 82 is cut inside a sub-option; the rest of it is lost.",
        }
    }

    /// The operator's paragraph: what Kea and clients do with such a message, what to look at.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::HeaderTruncated => {
                "A DHCP message has 236 bytes before its options (RFC 2131 §2). Kea drops a shorter one and counts it \
                 in pkt4-parse-failed. Look at the UDP length of the frame: a broken client, a damaged capture, or \
                 something else that uses ports 67 and 68."
            }
            Self::CutBySnaplen => {
                "The server received the whole message; only the capture lacks its end, so options may be missing in \
                 the tables that were on the wire. Nothing is wrong in the network. Capture with tcpdump -s 0."
            }
            Self::NoCookie => {
                "Plain BOOTP has no magic cookie and no options (RFC 951). Kea answers BOOTP only with \
                 libdhcp_bootp.so, and drops the message otherwise. Look for an old device that boots from the network."
            }
            Self::BadCookie => {
                "The four bytes before the options must be 99.130.83.99 (RFC 2131 §3). Kea cannot parse the message \
                 and drops it, so the client gets no answer. Look at the sender, and whether a relay rewrites messages."
            }
            Self::HlenZero => {
                "Kea identifies the client by option 61 alone. Without that option too, load-balancing has nothing to \
                 hash: both servers drop the message, see no-identifier. Networks without hardware addresses do this; \
                 on Ethernet the client is broken."
            }
            Self::HlenTooLong => {
                "chaddr has 16 bytes (RFC 2131 §2). Kea pads hlen 17 to 20 with zeros, and the hash covers the padding; \
                 above 20 it drops the message (HA_BUFFER4_RECEIVE_UNPACK_FAILED). Look at the client or at whoever \
                 forges its messages."
            }
            Self::NoMessageType => {
                "Without option 53 a message is BOOTP. Kea drops it unless libdhcp_bootp.so is loaded. If other options \
                 of DHCP are there, the client is broken, or the message was cut."
            }
            Self::OpMismatch => {
                "Clients and relays send BOOTREQUEST, servers BOOTREPLY. A message that says both is believed by \
                 neither side: servers ignore server messages, clients ignore requests. Look for a forged message or a \
                 broken relay."
            }
            Self::OptionTruncated => {
                "Kea keeps the options before the place and skips the rest, so the message may lack its client \
                 identifier or requested address, and another server may own it by hash. Look at the sender; if all \
                 messages of one path show it, at the path's MTU."
            }
            Self::OptionEmpty => {
                "RFC 2132 gives the option at least one byte. Kea ignores an empty host name or client identifier, or \
                 drops the message where the option's value is needed. Some small clients send it; look at the option \
                 number in the anomalies column."
            }
            Self::OptionBadLength => {
                "RFC 2132 gives the option another length. Its value is unusable: Kea ignores the option or the whole \
                 message, depending on the option. Look at the sender's firmware."
            }
            Self::NoEnd => {
                "RFC 2131 §3 wants option 255 last. Kea and most clients read such a message without complaint. It \
                 matters when the capture or a relay cut the message; compare with a capture nearer to the sender."
            }
            Self::DataAfterEnd => {
                "What follows option 255 should be zeros (RFC 2131 §4.1). Servers stop at the end option, so options \
                 behind it have no effect. Look whether a relay put option 82 after the end."
            }
            Self::OverloadInvalid => {
                "Option 52 says whether options go on in the fields file and sname: 1, 2 or 3 (RFC 2132 §9.3). With \
                 another value they are not read there, so options may be lost. Look at the sender."
            }
            Self::RelayTruncated => {
                "Option 82 consists of sub-options with lengths (RFC 3046 §2.0), and one of them is longer than the \
                 option. A class, subnet or reservation that goes by the circuit may not apply, and the client gets \
                 an address of another pool. Look at the configuration of the relay or switch that added it."
            }
        }
    }

    /// Every kind, for catalogues.
    pub const ALL: [Self; 15] = [
        Self::HeaderTruncated,
        Self::CutBySnaplen,
        Self::NoCookie,
        Self::BadCookie,
        Self::HlenZero,
        Self::HlenTooLong,
        Self::NoMessageType,
        Self::OpMismatch,
        Self::OptionTruncated,
        Self::OptionEmpty,
        Self::OptionBadLength,
        Self::NoEnd,
        Self::DataAfterEnd,
        Self::OverloadInvalid,
        Self::RelayTruncated,
    ];
}
