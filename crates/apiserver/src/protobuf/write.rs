//! Writing the encoding: numbered fields of text and messages, which is all that is ever written.

/// A message under way.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Adds a text.
    pub(crate) fn text(&mut self, number: u32, text: &str) {
        self.bytes(number, text.as_bytes());
    }

    /// Adds a message.
    pub(crate) fn message(&mut self, number: u32, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(number, &inner.0);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.varint(u64::from(number) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn varint(&mut self, mut value: u64) {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::wire::{Raw, Reader},
        *,
    };

    #[test]
    fn what_is_written_is_read() {
        let long = "x".repeat(300);
        let mut writer = Writer::default();
        writer.text(1, "a");
        writer.message(31, |inner| inner.text(2, &long));
        let bytes = writer.finish();
        let fields: Vec<_> = Reader::new(&bytes)
            .map(|field| field.expect("it is well-formed"))
            .collect();
        let [(1, Raw::Bytes(b"a")), (31, Raw::Bytes(inner))] = fields[..] else {
            panic!("two fields: {fields:?}");
        };
        let inner: Vec<_> = Reader::new(inner).collect();
        assert_eq!(inner, [Ok((2, Raw::Bytes(long.as_bytes())))]);
    }
}
