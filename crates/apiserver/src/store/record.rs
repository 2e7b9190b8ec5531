//! How a change is written to the log: framed, with a checksum, so that a torn end is told apart from a damaged middle.
//!
//! ```text
//! log    = magic record*
//! record = mark(2) length(4) crc(4) payload(length)        little endian; the checksum covers the payload
//! payload= revision(8) operation(1) number(8) group plural namespace name body        strings with a 2-byte length
//! ```

use bytes::Bytes;

use super::{ObjectKey, ResourceId};

/// What a log begins with.
pub(crate) const MAGIC: &[u8; 8] = b"KAPILOG1";

const MARK: [u8; 2] = [0xb5, 0x7e];
const HEADER: usize = 10;

/// One change, as it is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) revision: u64,
    pub(crate) operation: Operation,
    pub(crate) resource: ResourceId,
    pub(crate) key: ObjectKey,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The object is there, encoded so; under the schema of that fingerprint.
    Put { schema: u64, body: Bytes },
    /// The object is gone; this was its last state.
    Delete { body: Bytes },
    /// What follows, up to this offset of the log, is a snapshot: it took its place as a whole.
    Snapshot { end: u64 },
    /// The end of a snapshot. Nothing changed: this keeps the counter from running backwards.
    Revision,
}

/// What was found where a record should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Record(Record, usize),
    /// The end, exactly.
    End,
    /// Bytes that are no whole record, and no whole record after them: the write was cut short.
    Torn,
    /// Bytes that are no whole record, but whole records after them.
    Damaged,
}

/// Appends a record to a buffer.
pub(crate) fn encode(record: &Record, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(&MARK);
    into.extend_from_slice(&[0; HEADER - MARK.len()]);
    into.extend_from_slice(&record.revision.to_le_bytes());
    let (code, number, body): (u8, u64, &[u8]) = match &record.operation {
        Operation::Put { schema, body } => (1, *schema, body),
        Operation::Delete { body } => (2, 0, body),
        Operation::Revision => (3, 0, &[]),
        Operation::Snapshot { end } => (4, *end, &[]),
    };
    into.push(code);
    into.extend_from_slice(&number.to_le_bytes());
    for text in [
        record.resource.group(),
        record.resource.plural(),
        &record.key.namespace,
        &record.key.name,
    ] {
        // Names are limited to 253 characters before they get here.
        let length = u16::try_from(text.len()).expect("names are shorter than 64 KiB");
        into.extend_from_slice(&length.to_le_bytes());
        into.extend_from_slice(text.as_bytes());
    }
    into.extend_from_slice(body);
    let payload = start + HEADER;
    let length = u32::try_from(into.len() - payload).expect("bodies are limited to a few MiB");
    let checksum = crc32(&into[payload..]);
    into[start + 2..start + 6].copy_from_slice(&length.to_le_bytes());
    into[start + 6..start + 10].copy_from_slice(&checksum.to_le_bytes());
}

/// Reads what is at an offset of the log.
pub(crate) fn read(log: &[u8], at: usize) -> Found {
    if at == log.len() {
        return Found::End;
    }
    if let Some((record, next)) = whole(log, at) {
        return Found::Record(record, next);
    }
    let later = (at + 1..log.len()).any(|offset| log[offset..].starts_with(&MARK) && whole(log, offset).is_some());
    if later { Found::Damaged } else { Found::Torn }
}

fn whole(log: &[u8], at: usize) -> Option<(Record, usize)> {
    let header = log.get(at..at + HEADER)?;
    if header[..2] != MARK {
        return None;
    }
    let length = u32::from_le_bytes(header[2..6].try_into().ok()?) as usize;
    let checksum = u32::from_le_bytes(header[6..10].try_into().ok()?);
    let payload = log.get(at + HEADER..(at + HEADER).checked_add(length)?)?;
    if crc32(payload) != checksum {
        return None;
    }
    Some((decode(payload)?, at + HEADER + length))
}

fn decode(mut payload: &[u8]) -> Option<Record> {
    let revision = u64::from_le_bytes(take(&mut payload, 8)?.try_into().ok()?);
    let code = take(&mut payload, 1)?[0];
    let number = u64::from_le_bytes(take(&mut payload, 8)?.try_into().ok()?);
    let group = text(&mut payload)?;
    let plural = text(&mut payload)?;
    let key = ObjectKey {
        namespace: text(&mut payload)?.into(),
        name: text(&mut payload)?.into(),
    };
    let body = Bytes::copy_from_slice(payload);
    let operation = match code {
        1 => Operation::Put { schema: number, body },
        2 => Operation::Delete { body },
        3 => Operation::Revision,
        4 => Operation::Snapshot { end: number },
        _ => return None,
    };
    Some(Record {
        revision,
        operation,
        resource: ResourceId::new(group, plural),
        key,
    })
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = bytes.split_at_checked(count)?;
    *bytes = tail;
    Some(head)
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = u16::from_le_bytes(take(bytes, 2)?.try_into().ok()?);
    std::str::from_utf8(take(bytes, usize::from(length))?).ok()
}

/// CRC-32 (IEEE), eight bytes a step: logs are read at start, while someone waits.
fn crc32(bytes: &[u8]) -> u32 {
    static TABLES: std::sync::LazyLock<[[u32; 256]; 8]> = std::sync::LazyLock::new(tables);
    let tables = &*TABLES;
    let index = |word: u32, shift: u32| ((word >> shift) & 0xff) as usize;
    let mut crc = !0_u32;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        let low = crc ^ u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        let high = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        crc = tables[7][index(low, 0)]
            ^ tables[6][index(low, 8)]
            ^ tables[5][index(low, 16)]
            ^ tables[4][index(low, 24)]
            ^ tables[3][index(high, 0)]
            ^ tables[2][index(high, 8)]
            ^ tables[1][index(high, 16)]
            ^ tables[0][index(high, 24)];
    }
    for byte in rest {
        crc = (crc >> 8) ^ tables[0][index(crc ^ u32::from(*byte), 0)];
    }
    !crc
}

fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    for (index, entry) in (0_u32..).zip(&mut tables[0]) {
        *entry = (0..8).fold(index, |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        });
    }
    for row in 1..8 {
        for index in 0..256 {
            let before = tables[row - 1][index];
            tables[row][index] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
        }
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(revision: u64, body: &'static [u8]) -> Record {
        Record {
            revision,
            operation: Operation::Put {
                schema: 9,
                body: Bytes::from_static(body),
            },
            resource: ResourceId::new("apps", "deployments"),
            key: ObjectKey::new("default", "web"),
        }
    }

    fn log_of(records: &[Record]) -> Vec<u8> {
        let mut log = Vec::new();
        for record in records {
            encode(record, &mut log);
        }
        log
    }

    #[test]
    fn checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn what_is_written_is_read() {
        let records = [
            record(1, b"{}"),
            record(2, b"{\"a\":\"a longer body than eight bytes\"}"),
        ];
        let log = log_of(&records);
        let Found::Record(first, next) = read(&log, 0) else {
            panic!("a record")
        };
        let Found::Record(second, end) = read(&log, next) else {
            panic!("a record")
        };
        assert_eq!([first, second], records);
        assert_eq!(read(&log, end), Found::End);
    }

    #[test]
    fn every_cut_of_the_last_record_is_torn_not_damaged() {
        let log = log_of(&[record(1, b"{}"), record(2, b"{}")]);
        let Found::Record(_, second) = read(&log, 0) else {
            panic!("a record")
        };
        for end in second + 1..log.len() {
            assert_eq!(read(&log[..end], second), Found::Torn, "cut at {end}");
        }
    }

    #[test]
    fn a_flipped_bit_before_a_whole_record_is_damage() {
        let mut log = log_of(&[record(1, b"{}"), record(2, b"{}")]);
        for at in 0..log.len() / 2 {
            log[at] ^= 0x10;
            assert_eq!(read(&log, 0), Found::Damaged, "bit in byte {at}");
            log[at] ^= 0x10;
        }
    }
}
