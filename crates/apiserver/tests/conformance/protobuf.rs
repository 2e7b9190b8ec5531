//! Bodies in protobuf, written by hand: as much of the encoding as the tests need.

/// A number that stands for itself.
pub(crate) fn integer(field: u8, value: u64) -> Vec<u8> {
    [varint(u64::from(field) << 3), varint(value)].concat()
}

/// A text, or a message.
pub(crate) fn bytes(field: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [
        varint(u64::from(field) << 3 | 2),
        varint(content.len() as u64),
        content.to_vec(),
    ]
    .concat()
}

/// A message of these fields.
pub(crate) fn message<const N: usize>(field: u8, fields: [Vec<u8>; N]) -> Vec<u8> {
    bytes(field, fields.concat())
}

/// A body: the envelope with the type, around the object's fields.
pub(crate) fn body<const N: usize>(api_version: &str, kind: &str, fields: [Vec<u8>; N]) -> Vec<u8> {
    let envelope = [message(1, [bytes(1, api_version), bytes(2, kind)]), message(2, fields)];
    [b"k8s\0".to_vec(), envelope.concat()].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
