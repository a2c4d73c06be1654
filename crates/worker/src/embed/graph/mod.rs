//! A model's graph, made simpler before ONNX Runtime gets it.
//!
//! Texts that go through the model together have one length here, so there is no
//! padding, and the mask that keeps padding out adds zeros to the largest tensors there
//! are: it goes. What is left of attention between its three projections and its sum,
//! sixteen nodes, is one operator of ONNX Runtime, which needs no tensor of all pairs of
//! tokens. ARCHITECTURE.md has what that is worth.
//!
//! Only what is known by heart is touched: attention as PyTorch's exports of BERT write
//! it. Of anything else this says `None`, and the file is run as it is.

mod bert;
mod wire;

use std::collections::{HashMap, HashSet};

pub use bert::bert;
use wire::{Field, fields, packed, put_bytes, put_float, put_number};

/// Where things stand in ONNX's messages.
mod place {
    pub const MODEL_GRAPH: u32 = 7;
    pub const MODEL_OPERATORS: u32 = 8;
    pub const OPERATORS_DOMAIN: u32 = 1;
    pub const OPERATORS_VERSION: u32 = 2;
    pub const GRAPH_NODE: u32 = 1;
    pub const GRAPH_TENSOR: u32 = 5;
    pub const GRAPH_INPUT: u32 = 11;
    pub const GRAPH_OUTPUT: u32 = 12;
    pub const VALUE_NAME: u32 = 1;
    pub const NODE_INPUT: u32 = 1;
    pub const NODE_OUTPUT: u32 = 2;
    pub const NODE_NAME: u32 = 3;
    pub const NODE_OPERATOR: u32 = 4;
    pub const NODE_ATTRIBUTE: u32 = 5;
    pub const NODE_DOMAIN: u32 = 7;
    pub const ATTRIBUTE_NAME: u32 = 1;
    pub const ATTRIBUTE_FLOAT: u32 = 2;
    pub const ATTRIBUTE_INT: u32 = 3;
    pub const ATTRIBUTE_TENSOR: u32 = 5;
    pub const ATTRIBUTE_INTS: u32 = 8;
    pub const ATTRIBUTE_TYPE: u32 = 20;
    pub const TENSOR_SHAPE: u32 = 1;
    pub const TENSOR_TYPE: u32 = 2;
    pub const TENSOR_FLOATS: u32 = 4;
    pub const TENSOR_SMALL_INTS: u32 = 5;
    pub const TENSOR_INTS: u32 = 7;
    pub const TENSOR_NAME: u32 = 8;
    pub const TENSOR_RAW: u32 = 9;
    pub const TENSOR_LOCATION: u32 = 14;
}

const FLOAT: u64 = 1;
const UINT8: u64 = 2;
const INT8: u64 = 3;
const INT64: u64 = 7;
const TYPE_FLOAT: u64 = 1;
const TYPE_INT: u64 = 2;

const DOMAIN: &str = "com.microsoft";
const MASK: &str = "attention_mask";

/// The model for texts without padding: it has no input `attention_mask`. `None` where
/// it is not of the kind that is known.
pub fn without_padding(model: &[u8]) -> Option<Vec<u8>> {
    let model = fields(model)?;
    let of_graph = |field: &&Field| field.number == place::MODEL_GRAPH;
    let graph = Graph::read(model.iter().find(of_graph)?.value.bytes()?)?;
    let simpler = graph.simpler()?;
    let mut written = Vec::with_capacity(simpler.len() + 1024);
    for field in &model {
        if field.number != place::MODEL_GRAPH {
            written.extend_from_slice(field.raw);
        }
    }
    let mut operators = Vec::new();
    put_bytes(&mut operators, place::OPERATORS_DOMAIN, DOMAIN.as_bytes());
    put_number(&mut operators, place::OPERATORS_VERSION, 1);
    put_bytes(&mut written, place::MODEL_OPERATORS, &operators);
    put_bytes(&mut written, place::MODEL_GRAPH, &simpler);
    Some(written)
}

struct Graph<'a> {
    fields: Vec<Field<'a>>,
    nodes: Vec<Node<'a>>,
    /// By the name of what they give.
    by_output: HashMap<&'a str, usize>,
    /// By the name of what they take.
    by_input: HashMap<&'a str, Vec<usize>>,
    /// By name.
    tensors: HashMap<&'a str, Tensor<'a>>,
    outputs: Vec<&'a str>,
}

#[derive(Default)]
struct Node<'a> {
    operator: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: Vec<&'a [u8]>,
}

/// One attention: from three projections to their sum.
struct Attention<'a> {
    projections: [&'a str; 3],
    heads: u64,
    scale: f32,
    /// The node that gives the sum, and its name.
    last: usize,
    output: &'a str,
}

impl<'a> Graph<'a> {
    fn read(graph: &'a [u8]) -> Option<Self> {
        let fields = fields(graph)?;
        let mut read = Self {
            fields: Vec::new(),
            nodes: Vec::new(),
            by_output: HashMap::new(),
            by_input: HashMap::new(),
            tensors: HashMap::new(),
            outputs: Vec::new(),
        };
        for field in &fields {
            match field.number {
                place::GRAPH_NODE => read.take_node(Node::read(field)?)?,
                place::GRAPH_TENSOR => {
                    let (name, tensor) = Tensor::read(field.value.bytes()?)?;
                    read.tensors.insert(name, tensor);
                }
                place::GRAPH_OUTPUT => read.outputs.push(value_name(field)?),
                _ => {}
            }
        }
        read.fields = fields;
        Some(read)
    }

    fn take_node(&mut self, node: Node<'a>) -> Option<()> {
        let at = self.nodes.len();
        if node.operator == "Constant" {
            let value = node.attribute("value").and_then(|attribute| {
                attribute
                    .iter()
                    .find(|field| field.number == place::ATTRIBUTE_TENSOR)?
                    .value
                    .bytes()
            });
            let name = node.outputs.first()?;
            let tensor =
                value.map_or(Some(Tensor::default()), |value| Some(Tensor::read(value)?.1))?;
            self.tensors.insert(name, tensor);
        }
        for output in &node.outputs {
            self.by_output.insert(output, at);
        }
        for input in &node.inputs {
            self.by_input.entry(input).or_default().push(at);
        }
        self.nodes.push(node);
        Some(())
    }

    fn simpler(&self) -> Option<Vec<u8>> {
        // What lies inside of these may take anything by its name.
        let holds_graphs = |node: &Node| ["If", "Loop", "Scan"].contains(&node.operator);
        if self.nodes.iter().any(holds_graphs) {
            return None;
        }
        let softmaxes = self.nodes.iter().filter(|node| node.operator == "Softmax");
        let attentions: Vec<Attention> =
            softmaxes.map(|softmax| self.attention(softmax)).collect::<Option<_>>()?;
        if attentions.is_empty() {
            return None;
        }
        let replaced: HashMap<usize, &Attention> =
            attentions.iter().map(|attention| (attention.last, attention)).collect();
        let needed = self.needed(&replaced);
        // Somebody else asks for it.
        if needed.contains(MASK) {
            return None;
        }
        let bytes: usize = self.fields.iter().map(|field| field.raw.len()).sum();
        let mut written = Vec::with_capacity(bytes);
        let mut at = 0;
        for field in &self.fields {
            match field.number {
                place::GRAPH_NODE => {
                    if let Some(attention) = replaced.get(&at) {
                        put_bytes(&mut written, place::GRAPH_NODE, &attention.node());
                    } else if self.nodes[at].outputs.iter().any(|output| needed.contains(output)) {
                        written.extend_from_slice(field.raw);
                    }
                    at += 1;
                }
                place::GRAPH_INPUT if value_name(field)? == MASK => {}
                _ => written.extend_from_slice(field.raw),
            }
        }
        Some(written)
    }

    /// The names of all that the outputs are made of.
    fn needed(&self, replaced: &HashMap<usize, &Attention<'a>>) -> HashSet<&'a str> {
        let (mut needed, mut open) = (HashSet::new(), self.outputs.clone());
        while let Some(name) = open.pop() {
            if needed.insert(name)
                && let Some(at) = self.by_output.get(name)
            {
                match replaced.get(at) {
                    Some(attention) => open.extend(attention.projections),
                    None => open.extend(&self.nodes[*at].inputs),
                }
            }
        }
        needed
    }

    fn attention(&self, softmax: &Node<'a>) -> Option<Attention<'a>> {
        matches!(softmax.int("axis")?.cast_signed(), 3 | -1).then_some(())?;
        let masked = self.maker(softmax.input(0)?, "Add")?;
        let (mask, scores) = (masked.input(1)?, masked.input(0)?);
        let scores = match (self.is_mask(mask), self.is_mask(scores)) {
            (true, false) => scores,
            (false, true) => mask,
            _ => return None,
        };
        let scaled = self.node_of(scores)?;
        let by = self.number(scaled.input(1)?)?;
        let scale = match scaled.operator {
            "Div" => 1.0 / by,
            "Mul" => by,
            _ => return None,
        };
        let product = self.maker(scaled.input(0)?, "MatMul")?;
        let (query, heads) = self.projection(product.input(0)?, [0, 2, 1, 3])?;
        let (key, key_heads) = self.projection(product.input(1)?, [0, 2, 3, 1])?;
        let [sum] = self.by_input.get(softmax.outputs.first()?)?.as_slice() else { return None };
        let sum = Some(&self.nodes[*sum]).filter(|node| node.operator == "MatMul")?;
        (sum.input(0)? == *softmax.outputs.first()?).then_some(())?;
        let (value, value_heads) = self.projection(sum.input(1)?, [0, 2, 1, 3])?;
        (heads == key_heads && heads == value_heads && heads > 0).then_some(())?;
        let [turned] = self.by_input.get(sum.outputs.first()?)?.as_slice() else { return None };
        let turned = Some(&self.nodes[*turned]).filter(|node| node.turns([0, 2, 1, 3]))?;
        let takers = self.by_input.get(turned.outputs.first()?)?;
        // Those that ask for its shape go with it.
        let is_known = |at: &usize| ["Reshape", "Shape"].contains(&self.nodes[*at].operator);
        takers.iter().all(is_known).then_some(())?;
        let mut joins = takers.iter().filter(|at| self.nodes[**at].operator == "Reshape");
        let (Some(&last), None) = (joins.next(), joins.next()) else { return None };
        let output = self.nodes[last].outputs.first()?;
        let projections = [query, key, value];
        Some(Attention { projections, heads, scale: scale as f32, last, output })
    }

    /// A projection that is cut into heads and turned, and how many heads.
    fn projection(&self, name: &str, order: [u64; 4]) -> Option<(&'a str, u64)> {
        let turned = Some(self.node_of(name)?).filter(|node| node.turns(order))?;
        let cut = self.maker(turned.input(0)?, "Reshape")?;
        let shape = cut.input(1)?;
        let heads = match self.numbers(shape).as_deref() {
            Some([_, _, heads, _]) => *heads,
            Some(_) => return None,
            None => {
                let parts = self.maker(shape, "Concat")?;
                (parts.inputs.len() == 4).then_some(())?;
                self.number(parts.input(2)?)?
            }
        };
        (heads.fract() == 0.0 && heads >= 1.0).then_some((cut.input(0)?, heads as u64))
    }

    /// Whether it is 0 for every token and something else for padding alone:
    /// `(1 - attention_mask) * number`.
    fn is_mask(&self, name: &str) -> bool {
        let chain = || {
            let product = self.maker(name, "Mul")?;
            self.number(product.input(1)?)?;
            let difference = self.maker(product.input(0)?, "Sub")?;
            (self.number(difference.input(0)?)? == 1.0).then_some(())?;
            let mut from = self.maker(difference.input(1)?, "Cast")?.input(0)?;
            // A made-up file may go in circles.
            for _ in 0..4 {
                if from == MASK {
                    return Some(());
                }
                from = self.maker(from, "Unsqueeze")?.input(0)?;
            }
            None
        };
        chain().is_some()
    }

    fn node_of(&self, name: &str) -> Option<&Node<'a>> {
        self.by_output.get(name).map(|at| &self.nodes[*at])
    }

    fn maker(&self, name: &str, operator: &str) -> Option<&Node<'a>> {
        self.node_of(name).filter(|node| node.operator == operator)
    }

    /// Of a tensor of a few.
    fn numbers(&self, name: &str) -> Option<Vec<f64>> {
        self.tensors.get(name).map(Tensor::numbers)
    }

    /// Of a tensor with a single one.
    fn number(&self, name: &str) -> Option<f64> {
        match self.numbers(name)?.as_slice() {
            [number] if number.is_finite() => Some(*number),
            _ => None,
        }
    }
}

impl Attention<'_> {
    fn node(&self) -> Vec<u8> {
        let mut node = Vec::new();
        for input in self.projections {
            put_bytes(&mut node, place::NODE_INPUT, input.as_bytes());
        }
        put_bytes(&mut node, place::NODE_OUTPUT, self.output.as_bytes());
        put_bytes(&mut node, place::NODE_NAME, format!("attention of {}", self.output).as_bytes());
        put_bytes(&mut node, place::NODE_OPERATOR, b"MultiHeadAttention");
        let mut heads = Vec::new();
        put_bytes(&mut heads, place::ATTRIBUTE_NAME, b"num_heads");
        put_number(&mut heads, place::ATTRIBUTE_INT, self.heads);
        put_number(&mut heads, place::ATTRIBUTE_TYPE, TYPE_INT);
        put_bytes(&mut node, place::NODE_ATTRIBUTE, &heads);
        let mut scale = Vec::new();
        put_bytes(&mut scale, place::ATTRIBUTE_NAME, b"scale");
        put_float(&mut scale, place::ATTRIBUTE_FLOAT, self.scale);
        put_number(&mut scale, place::ATTRIBUTE_TYPE, TYPE_FLOAT);
        put_bytes(&mut node, place::NODE_ATTRIBUTE, &scale);
        put_bytes(&mut node, place::NODE_DOMAIN, DOMAIN.as_bytes());
        node
    }
}

impl<'a> Node<'a> {
    fn read(field: &Field<'a>) -> Option<Self> {
        let mut node = Self::default();
        for field in fields(field.value.bytes()?)? {
            match field.number {
                place::NODE_INPUT => node.inputs.push(field.value.text()?),
                place::NODE_OUTPUT => node.outputs.push(field.value.text()?),
                place::NODE_OPERATOR => node.operator = field.value.text()?,
                place::NODE_ATTRIBUTE => node.attributes.push(field.value.bytes()?),
                _ => {}
            }
        }
        Some(node)
    }

    fn input(&self, at: usize) -> Option<&'a str> {
        self.inputs.get(at).copied()
    }

    fn attribute(&self, name: &str) -> Option<Vec<Field<'a>>> {
        let named = |attribute: &Vec<Field>| {
            let of_name = |field: &&Field| field.number == place::ATTRIBUTE_NAME;
            attribute.iter().find(of_name).and_then(|field| field.value.text()) == Some(name)
        };
        self.attributes.iter().filter_map(|attribute| fields(attribute)).find(named)
    }

    fn int(&self, name: &str) -> Option<u64> {
        let attribute = self.attribute(name)?;
        attribute.iter().find_map(|field| match (field.number, field.value) {
            (place::ATTRIBUTE_INT, wire::Value::Number(number)) => Some(number),
            _ => None,
        })
    }

    fn ints(&self, name: &str) -> Option<Vec<u64>> {
        numbers_at(&self.attribute(name)?, place::ATTRIBUTE_INTS)
    }

    /// Whether it only turns the axes about, into that order.
    fn turns(&self, order: [u64; 4]) -> bool {
        self.operator == "Transpose" && self.ints("perm").is_some_and(|ints| ints == order)
    }
}

fn value_name<'a>(field: &Field<'a>) -> Option<&'a str> {
    let of_name = |field: &Field| field.number == place::VALUE_NAME;
    fields(field.value.bytes()?)?.into_iter().find(of_name)?.value.text()
}

/// The whole numbers of a field that stands there once packed, or once each.
fn numbers_at(message: &[Field], number: u32) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for field in message.iter().filter(|field| field.number == number) {
        match field.value {
            wire::Value::Number(number) => numbers.push(number),
            value => numbers.extend(packed(value.bytes()?)?),
        }
    }
    Some(numbers)
}

/// More numbers than a shape has are not looked at.
const FEW: usize = 8;

/// Numbers that are in the file.
#[derive(Default)]
struct Tensor<'a> {
    kind: u64,
    shape: Vec<u64>,
    /// All of them, if they are written as they lie in memory.
    raw: Option<&'a [u8]>,
    /// Whole ones that are written one by one, if they are bytes or few.
    ints: Vec<u64>,
}

impl<'a> Tensor<'a> {
    /// With its name. `None` for a tensor that lies in another file, which would not be
    /// found beside a graph that is in memory.
    fn read(tensor: &'a [u8]) -> Option<(&'a str, Self)> {
        let fields = fields(tensor)?;
        let (mut name, mut kind, mut raw, mut int_bytes) = ("", 0, None, 0);
        for field in &fields {
            match (field.number, field.value) {
                (place::TENSOR_NAME, value) => name = value.text()?,
                (place::TENSOR_TYPE, wire::Value::Number(number)) => kind = number,
                (place::TENSOR_RAW | place::TENSOR_FLOATS, value) => raw = Some(value.bytes()?),
                (place::TENSOR_SMALL_INTS | place::TENSOR_INTS, wire::Value::Bytes(bytes)) => {
                    int_bytes += bytes.len();
                }
                (place::TENSOR_LOCATION, wire::Value::Number(1..)) => return None,
                _ => {}
            }
        }
        let looked_at = [INT8, UINT8].contains(&kind) || int_bytes <= FEW * 10;
        let ints = |number| {
            if looked_at { numbers_at(&fields, number) } else { Some(Vec::new()) }
        };
        let shape = numbers_at(&fields, place::TENSOR_SHAPE)?;
        let ints = [ints(place::TENSOR_SMALL_INTS)?, ints(place::TENSOR_INTS)?].concat();
        Some((name, Self { kind, shape, raw, ints }))
    }

    /// Floats and long whole numbers, if they are few; else none.
    fn numbers(&self) -> Vec<f64> {
        let raw = self.raw.filter(|bytes| bytes.len() <= FEW * 8).unwrap_or_default();
        match self.kind {
            FLOAT => {
                let numbers = raw.as_chunks::<4>().0.iter();
                numbers.map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
            }
            INT64 => {
                let numbers = raw.as_chunks::<8>().0.iter();
                let numbers = numbers.map(|bytes| i64::from_le_bytes(*bytes));
                let ints = self.ints.iter().map(|number| number.cast_signed());
                numbers.chain(ints).map(|number| number as f64).collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use proptest::prelude::*;

    use super::*;

    /// The model that comes with Rummage, as set-up left it in the checkout.
    fn default_model() -> Vec<u8> {
        let path = "../../assets/models/all-MiniLM-L6-v2/model.onnx";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: run `npm run setup`", path.display()))
    }

    fn read(model: &[u8]) -> Graph<'_> {
        let fields = fields(model).unwrap();
        let graph = fields.iter().find(|field| field.number == place::MODEL_GRAPH).unwrap();
        Graph::read(graph.value.bytes().unwrap()).unwrap()
    }

    #[test]
    fn the_default_models_attention_becomes_one_operator_a_layer() {
        let model = default_model();
        let simpler = without_padding(&model).unwrap();
        let (before, after) = (read(&model), read(&simpler));
        let count = |graph: &Graph, operator: &str| {
            graph.nodes.iter().filter(|node| node.operator == operator).count()
        };
        assert_eq!((count(&before, "Softmax"), count(&after, "Softmax")), (6, 0));
        assert_eq!(count(&after, "MultiHeadAttention"), 6);
        assert_eq!(count(&before, "MatMulInteger"), count(&after, "MatMulInteger"));
        // Everything that anything takes is there.
        let taken =
            after.nodes.iter().flat_map(|node| &node.inputs).filter(|name| !name.is_empty());
        let given = |name: &&&str| {
            after.by_output.contains_key(*name)
                || after.tensors.contains_key(*name)
                || ["input_ids", "token_type_ids"].contains(name)
        };
        assert_eq!(taken.clone().find(|name| !given(name)), None);
        assert!(!taken.clone().any(|name| *name == MASK));
        // There is nothing left to make simpler.
        assert_eq!(without_padding(&simpler), None);
    }

    #[test]
    fn what_is_not_known_by_heart_is_left_alone() {
        assert_eq!(without_padding(b""), None);
        assert_eq!(without_padding(b"no model"), None);
        // Another mask: tokens that are not padding would count differently.
        let mut model = default_model();
        let name = b"attention_mask";
        let places: Vec<usize> =
            (0..model.len() - name.len()).filter(|at| model[*at..].starts_with(name)).collect();
        for place in places {
            model[place] = b'b';
        }
        assert_eq!(without_padding(&model), None);
    }

    /// Where these bytes stand for the `nth` time.
    fn find(model: &[u8], bytes: &[u8], nth: usize) -> usize {
        memchr::memmem::find_iter(model, bytes).nth(nth).expect("it is there")
    }

    #[test]
    fn the_default_model_is_bert() {
        let model = default_model();
        let weights = bert(&model).unwrap();
        assert_eq!((weights.layers.len(), weights.heads, weights.words.width), (6, 12, 384));
        assert_eq!(weights.scale, 1.0 / 32f32.sqrt());
        assert!((weights.norm.epsilon - 1e-12).abs() < 1e-15);
        assert_eq!(weights.positions.bytes.len(), 512 * 384);
        // The simpler graph has no attention left to be looked at.
        assert!(bert(&without_padding(&model).unwrap()).is_none());
    }

    /// Every number and every node counts: with another one it is another network.
    #[test]
    fn what_computes_something_else_is_not_taken_for_bert() {
        let check = |what: &str, bytes: &[u8], nth: usize, at: isize, other: &[u8]| {
            let mut model = default_model();
            let place = find(&model, bytes, nth).strict_add_signed(at);
            assert_ne!(&model[place..place + other.len()], other, "{what}");
            model[place..place + other.len()].copy_from_slice(other);
            assert!(bert(&model).is_none(), "{what}");
        };
        let float = f32::to_le_bytes;
        check("another power", &float(2.0), 0, 0, &float(3.0));
        check("another root", &float(std::f32::consts::SQRT_2), 3, 0, &float(1.3));
        check("another half", &float(0.5), 5, 0, &float(0.25));
        for operator in ["Erf", "Pow", "Sqrt", "Sub", "Div", "Softmax", "Slice", "Cast"] {
            let node = [&[0x22, operator.len() as u8], operator.as_bytes()].concat();
            let other = operator.to_uppercase();
            check(operator, &node, 0, 2, &other.as_bytes()[..operator.len()]);
        }
        let mut counting = Vec::new();
        (0..4i64).for_each(|place| counting.extend(place.to_le_bytes()));
        check("other positions", &counting, 0, 8, &7i64.to_le_bytes());
        // A tensor's numbers stand right before its name.
        let name = b"B\x1bonnx::MatMul_787_zero_point";
        check("another zero point", name, 0, -1, &[1]);
        // One layer's queries are multiplied by something else than the others'.
        let scale = float(32f32.sqrt());
        check("another scale", &scale, 2, 0, &float(5.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn a_broken_file_never_panics(
            at in 0usize..160_000,
            from_end in any::<bool>(),
            byte in any::<u8>(),
            cut in any::<bool>(),
        ) {
            let mut model = default_model();
            let place = if from_end { model.len() - 1 - at } else { at };
            model[place] = byte;
            if cut {
                model.truncate(place);
            }
            let _ = without_padding(&model);
            let _ = bert(&model);
        }
    }
}
