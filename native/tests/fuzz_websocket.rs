//! The frames of a client under random inputs: the reader never panics, the result does not depend on how the bytes
//! arrive, and a simple reference that has the whole input agrees with it.

mod fuzzing;

use fechatter_native::gateway::websocket_reader::{MAX_MESSAGE_BYTES, Reader, Received, Violation};
use fuzzing::fuzz;

type Outcome = (Vec<Received>, Option<u16>);
/// The first byte and the content of a frame, and what follows it.
type Split<'a> = (u8, Vec<u8>, &'a [u8]);

/// Reads everything, in parts of these sizes.
fn read(input: &[u8], mut step: impl FnMut() -> usize) -> Outcome {
    let (mut reader, mut all, mut rest) = (Reader::default(), Vec::new(), input);
    while !rest.is_empty() {
        let (mut part, later) = rest.split_at(step().clamp(1, rest.len()));
        rest = later;
        while !part.is_empty() {
            match reader.read(&mut part) {
                Ok(received) => all.extend(received),
                Err(Violation(code)) => return (all, Some(code)),
            }
        }
    }
    (all, None)
}

/// Reads complete frames only.
fn reference(mut input: &[u8]) -> Outcome {
    let (mut all, mut message, mut size) = (Vec::new(), None::<Vec<u8>>, 0);
    loop {
        let (first, content, rest) = match split_frame(input, message.is_some(), &mut size) {
            Ok(Some(split)) => split,
            Ok(None) => return (all, None),
            Err(code) => return (all, Some(code)),
        };
        input = rest;
        match first & 15 {
            8 => match close(&content) {
                Ok(code) => all.push(Received::Close(code)),
                Err(code) => return (all, Some(code)),
            },
            9 => all.push(Received::Ping(content)),
            10 => all.push(Received::Pong),
            _ => {
                let (whole, is_final) = (message.get_or_insert_default(), first & 0x80 != 0);
                whole.extend(content);
                let is_wrong = |error: std::str::Utf8Error| is_final || error.error_len().is_some();
                if std::str::from_utf8(whole).is_err_and(is_wrong) {
                    return (all, Some(1007));
                }
                if is_final {
                    all.extend(message.take().map(Received::Message));
                    size = 0;
                }
            }
        }
    }
}

/// Returns a complete frame.
fn split_frame<'a>(input: &'a [u8], follows: bool, size: &mut usize) -> Result<Option<Split<'a>>, u16> {
    let [first, second, rest @ ..] = input else { return Ok(None) };
    let (opcode, is_final, short) = (first & 15, first & 0x80 != 0, usize::from(second & 127));
    let is_in_place = if opcode >= 8 { is_final } else { (opcode == 0) == follows };
    if first & 0x70 != 0 || !matches!(opcode, 0..=2 | 8..=10) || !is_in_place {
        return Err(1002);
    }
    if opcode == 2 {
        return Err(1003);
    }
    if second & 0x80 == 0 || (opcode >= 8 && short > 125) {
        return Err(1002);
    }
    let digits = [0, 2, 8][usize::from(short > 125) + usize::from(short > 126)];
    if rest.len() < digits + 4 {
        return Ok(None);
    }
    let length = rest[..digits].iter().fold(0_u128, |length, byte| length * 256 + u128::from(*byte));
    if (digits == 2 && length < 126) || (digits == 8 && !(65_536..1 << 63).contains(&length)) {
        return Err(1002);
    }
    let length = if digits == 0 { short } else { usize::try_from(length).expect("a length") };
    if opcode < 8 {
        *size += length.max(1);
    }
    if length > MAX_MESSAGE_BYTES || *size > MAX_MESSAGE_BYTES {
        return Err(1009);
    }
    let (mask, rest) = rest[digits..].split_at(4);
    let Some(masked) = rest.get(..length) else { return Ok(None) };
    let content = masked.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]).collect();
    Ok(Some((*first, content, &rest[length..])))
}

fn close(content: &[u8]) -> Result<Option<u16>, u16> {
    match content {
        [] => Ok(None),
        [_] => Err(1002),
        [high, low, reason @ ..] => {
            let code = u16::from(*high) * 256 + u16::from(*low);
            let is_allowed = [1000, 1001, 1002, 1003].contains(&code)
                || (1007..=1014).contains(&code)
                || (3000..5000).contains(&code);
            match (is_allowed, std::str::from_utf8(reason).is_ok()) {
                (false, _) => Err(1002),
                (true, false) => Err(1007),
                (true, true) => Ok(Some(code)),
            }
        }
    }
}

fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match content.len() {
        short @ ..=125 => frame.push(0x80 | u8::try_from(short).expect("a short length")),
        length => {
            frame.push(0xfe);
            frame.extend(u16::try_from(length).expect("a length").to_be_bytes());
        }
    }
    frame.extend(mask);
    frame.extend(content.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    frame
}

#[test]
fn frames_mean_the_same_however_they_arrive() {
    let seeds = [
        frame(0x81, "{\"type\":\"send\",\"content\":\"Grüße 😀\"}".as_bytes()),
        [frame(0x01, "Gr\u{fc}".as_bytes()), frame(0x89, b"?"), frame(0x80, b"sse")].concat(),
        [frame(0x01, b"\xf0\x9f"), frame(0x00, b""), frame(0x80, b"\x98\x80"), frame(0x88, b"\x03\xe8bye")].concat(),
        [frame(0x81, &[b'x'; 200]), frame(0x8a, b"pong"), frame(0x88, b"")].concat(),
        vec![0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ];
    let seeds: Vec<_> = seeds.iter().map(Vec::as_slice).collect();
    let pieces: [&[u8]; 9] = [
        b"\x81\x80\0\0\0\0",
        b"\x01\x81\0\0\0\0a",
        b"\x80",
        b"\x88\x82\0\0\0\0\x03\xe8",
        b"\xfe\x00\x7e",
        b"\xff",
        b"\xc3",
        b"\x00\x80",
        b"\x89",
    ];
    fuzz(&seeds, &pieces, |input, random| {
        let whole = read(input, || usize::MAX);
        assert_eq!(whole, read(input, || 1), "{input:?}");
        assert_eq!(whole, read(input, || 1 + random.below(9)), "{input:?}");
        let (all, code) = reference(input);
        assert_eq!(all, whole.0, "{input:?}");
        // The reader refuses a wrong frame before it is complete.
        assert!(code.is_none() || code == whole.1, "{code:?} {:?} {input:?}", whole.1);
        whole.1.is_none() && !whole.0.is_empty()
    });
}

fn code(frames: &[u8]) -> Option<u16> {
    read(frames, || usize::MAX).1
}

#[test]
fn wrong_frames_get_their_close_code_at_the_first_wrong_byte() {
    for reserved in [0x40, 0x20, 0x10] {
        assert_eq!(code(&[0x81 | reserved]), Some(1002), "reserved bits");
    }
    for opcode in [3, 7, 11, 15] {
        assert_eq!(code(&[0x80 | opcode]), Some(1002), "an unknown opcode");
    }
    assert_eq!(code(&[0x81, 0x05]), Some(1002), "without a mask");
    assert_eq!(code(&[0x80]), Some(1002), "a continuation of nothing");
    assert_eq!(code(&[frame(0x01, b"a"), vec![0x81]].concat()), Some(1002), "a message within a message");
    assert_eq!((code(&[0x09]), code(&[0x08]), code(&[0x89, 0xfe])), (Some(1002), Some(1002), Some(1002)), "control");
    assert_eq!(code(&[0x82]), Some(1003), "binary");
    assert_eq!(code(&[0x81, 0xfe, 0, 125, 0, 0, 0, 0]), Some(1002), "a length that is not the shortest");
    assert_eq!(code(&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Some(1002), "a negative length");
    assert_eq!(code(&[0x81, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]), Some(1009), "too large, before its content");
    for wrong in [&b"\xff"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
        assert_eq!(code(&frame(0x01, wrong)), Some(1007), "{wrong:?} in a fragment");
        let unfinished = frame(0x81, &[wrong, &[b'x'; 100]].concat());
        assert_eq!(code(&unfinished[..20]), Some(1007), "{wrong:?} before the end of its frame");
    }
    assert_eq!(code(&frame(0x81, b"\xc3")), Some(1007), "an incomplete character at the end");
    for wrong in [0_u16, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535] {
        assert_eq!(code(&frame(0x88, &wrong.to_be_bytes())), Some(1002), "{wrong}");
    }
    assert_eq!((code(&frame(0x88, b"x")), code(&frame(0x88, b"\x03\xe8\xff"))), (Some(1002), Some(1007)));
}

#[test]
fn fragments_count_towards_the_limit_even_if_they_are_empty() {
    let one_byte = |count: usize| {
        let mut frames = frame(0x01, b"x");
        for _ in 2..count {
            frames.extend(frame(0x00, b"x"));
        }
        [frames, frame(0x80, b"x")].concat()
    };
    let (received, code) = read(&one_byte(MAX_MESSAGE_BYTES), || usize::MAX);
    assert_eq!((received, code), (vec![Received::Message(vec![b'x'; MAX_MESSAGE_BYTES])], None));
    assert_eq!(read(&one_byte(MAX_MESSAGE_BYTES + 1), || usize::MAX), (vec![], Some(1009)));
    let empty = [frame(0x01, b""), frame(0x00, b"").repeat(MAX_MESSAGE_BYTES)].concat();
    assert_eq!(read(&empty, || usize::MAX), (vec![], Some(1009)));
}

#[test]
fn a_reader_between_two_messages_has_no_buffer() {
    let mut reader = Reader::default();
    let frames = frame(0x81, &b"x".repeat(50_000));
    let (first, last) = frames.split_at(frames.len() - 1);
    assert_eq!(reader.read(&mut &first[..]), Ok(None));
    assert!(reader.is_in_progress());
    assert_eq!(reader.read(&mut &last[..]), Ok(Some(Received::Message(vec![b'x'; 50_000]))));
    assert!(!reader.is_in_progress());
    assert_eq!(size_of::<Reader>(), size_of::<usize>());
}
