//! As much of protobuf's encoding as a model's graph needs: fields in and out. What a
//! field means is for others to know.

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field<'a> {
    pub number: u32,
    pub value: Value<'a>,
    /// As it stands in the message, its tag included.
    pub raw: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Number(u64),
    /// A text, a message or packed numbers.
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
}

impl<'a> Value<'a> {
    pub const fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// All fields of a message, in their order; `None` where it is none.
pub fn fields(message: &[u8]) -> Option<Vec<Field<'_>>> {
    let (mut fields, mut rest) = (Vec::new(), message);
    while !rest.is_empty() {
        let start = rest;
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut rest)?),
            1 => Value::Fixed64(take(&mut rest, 8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                Value::Bytes(take(&mut rest, length)?)
            }
            5 => Value::Fixed32(take(&mut rest, 4)?.try_into().ok()?),
            _ => return None,
        };
        let raw = &start[..start.len() - rest.len()];
        fields.push(Field { number: u32::try_from(tag >> 3).ok()?, value, raw });
    }
    Some(fields)
}

/// The numbers of a packed field.
pub fn packed(mut bytes: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        numbers.push(varint(&mut bytes)?);
    }
    Some(numbers)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

pub fn put_bytes(message: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(message, u64::from(number << 3 | 2));
    put_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

pub fn put_number(message: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(message, u64::from(number << 3));
    put_varint(message, value);
}

pub fn put_float(message: &mut Vec<u8>, number: u32, value: f32) {
    put_varint(message, u64::from(number << 3 | 5));
    message.extend_from_slice(&value.to_le_bytes());
}

fn put_varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_is_there(number in any::<u64>(), float in any::<f32>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut message = Vec::new();
            put_number(&mut message, 1, number);
            put_bytes(&mut message, 300, &bytes);
            put_float(&mut message, 3, float);
            let fields = fields(&message).unwrap();
            let values: Vec<_> = fields.iter().map(|field| (field.number, field.value)).collect();
            let float = Value::Fixed32(float.to_le_bytes());
            prop_assert_eq!(values, [(1, Value::Number(number)), (300, Value::Bytes(&bytes)), (3, float)]);
            prop_assert_eq!(fields.iter().flat_map(|field| field.raw).copied().collect::<Vec<_>>(), message);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = fields(&bytes);
            let _ = packed(&bytes);
        }
    }
}
