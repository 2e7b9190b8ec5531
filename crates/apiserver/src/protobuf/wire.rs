//! The encoding itself: numbered fields, each a number or bytes.

use super::{ProtobufError, Result};

/// The content of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raw<'a> {
    Number(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// The fields of a message, in order.
pub(super) struct Reader<'a>(&'a [u8]);

const SHORT: ProtobufError = ProtobufError::Malformed("it ends in the middle of a field");

impl<'a> Raw<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(ProtobufError::Malformed("a number where bytes belong")),
        }
    }

    pub(super) fn number(self) -> Result<i64> {
        match self {
            Self::Number(number) => Ok(number.cast_signed()),
            _ => Err(ProtobufError::Malformed("bytes where a number belongs")),
        }
    }

    pub(super) fn float(self) -> Result<f64> {
        match self {
            Self::Fixed64(bits) => Ok(f64::from_bits(bits)),
            Self::Fixed32(bits) => Ok(f32::from_bits(bits).into()),
            _ => Err(ProtobufError::Malformed("something else where a float belongs")),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn field(&mut self) -> Result<(u32, Raw<'a>)> {
        let tag = self.varint()?;
        let number =
            u32::try_from(tag >> 3).map_err(|_| ProtobufError::Malformed("a field's number is out of range"))?;
        let raw = match tag & 7 {
            0 => Raw::Number(self.varint()?),
            1 => Raw::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| SHORT)?)),
            2 => {
                let length = self.varint()?;
                Raw::Bytes(self.take(usize::try_from(length).map_err(|_| SHORT)?)?)
            }
            5 => Raw::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| SHORT)?)),
            _ => return Err(ProtobufError::Malformed("a field of a type that does not exist")),
        };
        Ok((number, raw))
    }

    fn varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ProtobufError::Malformed("a number is too long"))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = tail;
        Ok(head)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<(u32, Raw<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// Numbers one after the other, as lists of them may come.
pub(super) fn packed(bytes: &[u8]) -> Result<Vec<i64>> {
    let mut reader = Reader::new(bytes);
    let mut numbers = Vec::new();
    while !reader.0.is_empty() {
        numbers.push(reader.varint()?.cast_signed());
    }
    Ok(numbers)
}
