//! The tiny model's `model.onnx`: one look-up in a table, written down by hand in
//! the wire format of protocol buffers. The field numbers are those of
//! `onnx.proto`.

/// ONNX' numbers for element types.
const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// A model with the inputs `input_ids` and `attention_mask` (64-bit integers,
/// texts × tokens) and the output `last_hidden_state` (32-bit floats,
/// texts × tokens × `dims`): the row of `table` that each id names. The mask is
/// declared, as all such models do, and has no effect.
pub fn lookup(rows: usize, dims: usize, table: &[f32]) -> Vec<u8> {
    let ids = [Dim::Named("texts"), Dim::Named("tokens")];
    let states = [Dim::Named("texts"), Dim::Named("tokens"), Dim::Fixed(dims as u64)];
    let mut graph = Message::default();
    graph.message(1, gather("table", "input_ids", "last_hidden_state"));
    graph.text(2, "tiny");
    graph.message(5, tensor("table", [rows as u64, dims as u64], table));
    graph.message(11, value("input_ids", INT64, &ids));
    graph.message(11, value("attention_mask", INT64, &ids));
    graph.message(12, value("last_hidden_state", FLOAT, &states));
    let mut opset = Message::default();
    opset.number(2, 13);
    let mut model = Message::default();
    model.number(1, 8);
    model.text(2, "rummage-testkit");
    model.message(7, graph);
    model.message(8, opset);
    model.0
}

enum Dim {
    Fixed(u64),
    Named(&'static str),
}

fn gather(table: &str, ids: &str, output: &str) -> Message {
    let mut node = Message::default();
    node.text(1, table);
    node.text(1, ids);
    node.text(2, output);
    node.text(4, "Gather");
    node
}

fn tensor(name: &str, dims: [u64; 2], values: &[f32]) -> Message {
    let mut tensor = Message::default();
    dims.into_iter().for_each(|dim| tensor.number(1, dim));
    tensor.number(2, FLOAT);
    tensor.text(8, name);
    tensor.bytes(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>());
    tensor
}

fn value(name: &str, element: u64, dims: &[Dim]) -> Message {
    let mut shape = Message::default();
    for dim in dims {
        let mut message = Message::default();
        match dim {
            Dim::Fixed(length) => message.number(1, *length),
            Dim::Named(name) => message.text(2, name),
        }
        shape.message(1, message);
    }
    let mut tensor = Message::default();
    tensor.number(1, element);
    tensor.message(2, shape);
    let mut kind = Message::default();
    kind.message(1, tensor);
    let mut value = Message::default();
    value.text(1, name);
    value.message(2, kind);
    value
}

/// The bytes of one message: fields one after the other.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: Self) {
        self.bytes(field, &message.0);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_seven_bits_a_byte() {
        let mut message = Message::default();
        message.number(1, 300);
        assert_eq!(message.0, [0x08, 0xac, 0x02]);
    }

    #[test]
    fn a_text_bears_its_length() {
        let mut message = Message::default();
        message.text(2, "ab");
        assert_eq!(message.0, [0x12, 2, b'a', b'b']);
    }
}
