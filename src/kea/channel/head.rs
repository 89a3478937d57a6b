//! What the head of a message says about its body (RFC 9112 §6).

use std::mem::MaybeUninit;

use super::Anomaly;

/// Headers of a message at most; Kea sends four.
const MOST_HEADERS: usize = 32;

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunks,
    UntilEnd,
}

/// A head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) length: Length,
    /// The status of an answer; 0 for a request.
    pub(super) status: u16,
    /// Whether it is a POST.
    pub(super) post: bool,
    /// Whether it gives a length and chunks, of which the chunks count.
    pub(super) conflict: bool,
}

impl Head {
    /// Of a request, and how many bytes it takes, if its end is there.
    pub(super) fn of_request(bytes: &[u8]) -> Result<(Self, Option<usize>), Anomaly> {
        let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut []);
        let end = request.parse_with_uninit_headers(bytes, &mut headers).map_err(|_| Anomaly::HeadBroken)?;
        let post = request.method == Some("POST");
        let (length, conflict) = length(request.headers)?;
        Ok((Self { length: length.unwrap_or(Length::Bytes(0)), status: 0, post, conflict }, complete(end)))
    }

    /// The same of an answer.
    pub(super) fn of_answer(bytes: &[u8]) -> Result<(Self, Option<usize>), Anomaly> {
        let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut []);
        let end = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut answer, bytes, &mut headers)
            .map_err(|_| Anomaly::HeadBroken)?;
        let status = answer.code.unwrap_or_default();
        let (length, conflict) = length(answer.headers)?;
        let bare = matches!(status, 204 | 304);
        let length = if bare { Length::Bytes(0) } else { length.unwrap_or(Length::UntilEnd) };
        Ok((Self { length, status, post: false, conflict }, complete(end)))
    }
}

fn complete(end: httparse::Status<usize>) -> Option<usize> {
    match end {
        httparse::Status::Complete(length) => Some(length),
        httparse::Status::Partial => None,
    }
}

/// The length that the headers give, and whether they give it twice.
fn length(headers: &[httparse::Header<'_>]) -> Result<(Option<Length>, bool), Anomaly> {
    let (mut chunked, mut given) = (false, None);
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            chunked |= header.value.to_ascii_lowercase().ends_with(b"chunked");
        } else if header.name.eq_ignore_ascii_case("content-length")
            && *given.get_or_insert(header.value) != header.value
        {
            return Err(Anomaly::LengthConflict);
        }
    }
    let Some(value) = given else { return Ok((chunked.then_some(Length::Chunks), false)) };
    let digits = std::str::from_utf8(value).map(str::trim).unwrap_or_default();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Anomaly::HeadBroken);
    }
    // More digits than fit are a length without end.
    let length = if chunked { Length::Chunks } else { Length::Bytes(digits.parse().unwrap_or(u64::MAX)) };
    Ok((Some(length), chunked))
}
