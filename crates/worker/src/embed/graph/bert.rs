//! A model's weights, where its graph is BERT in eight bits as it is usually exported:
//! PyTorch's nodes, with matrices and tables of bytes as ONNX Runtime's quantiser writes
//! them. Every node on the way from the token ids to the states is looked at, so what is
//! found is all that the file computes. Of anything else this says `None`.

use std::borrow::Cow;

use rummage_encoder::{Layer, Linear, Norm, Table, Weights};

use super::{Attention, FLOAT, Graph, INT8, INT64, Tensor, UINT8, fields, place};

/// What the file is made of; `None` where it is not of the kind that is known.
pub fn bert(model: &[u8]) -> Option<Weights<'_>> {
    let model = fields(model)?;
    let graph = model.iter().find(|field| field.number == place::MODEL_GRAPH)?;
    Graph::read(graph.value.bytes()?)?.bert()
}

/// Two ways to write down one number differ by no more.
const CLOSE: f64 = 1e-5;

impl<'a> Graph<'a> {
    fn bert(&self) -> Option<Weights<'a>> {
        let softmaxes = self.nodes.iter().filter(|node| node.operator == "Softmax");
        let attentions: Vec<Attention> =
            softmaxes.map(|softmax| self.attention(softmax)).collect::<Option<_>>()?;
        let mut states = match self.outputs.as_slice() {
            &[one] => one,
            many => many.iter().copied().find(|name| *name == "last_hidden_state")?,
        };
        let (mut layers, mut kinds) = (Vec::new(), Vec::new());
        // From the last layer to the first.
        while layers.len() < attentions.len() {
            let (layer, attention, before) = self.layer(states, &attentions)?;
            layers.push(layer);
            kinds.push((attention.heads, attention.scale.to_bits()));
            states = before;
        }
        layers.reverse();
        let (&(heads, scale), others) = kinds.split_first()?;
        others.iter().all(|other| *other == (heads, scale)).then_some(())?;
        let (norm, sum) = self.norm(states)?;
        let (words, positions, segments) = self.tables(sum)?;
        let (heads, scale) = (usize::try_from(heads).ok()?, f32::from_bits(scale));
        Some(Weights { words, positions, segments, norm, layers, heads, scale })
    }

    /// The layer whose states these are, its attention, and the states before it.
    fn layer<'b>(
        &self,
        states: &str,
        attentions: &'b [Attention<'a>],
    ) -> Option<(Layer<'a>, &'b Attention<'a>, &'a str)> {
        let (narrow_norm, sum) = self.norm(states)?;
        let (narrow, wide, between) = self.change(sum)?;
        let (widen, from) = self.linear(self.gelu(wide)?)?;
        (from == between).then_some(())?;
        let (output_norm, sum) = self.norm(between)?;
        let (output, found, before) = self.change(sum)?;
        let attention = attentions.iter().find(|attention| attention.output == found)?;
        let [query, key, value] = attention.projections.map(|projection| {
            self.linear(projection).filter(|(_, from)| *from == before).map(|(linear, _)| linear)
        });
        let (query, key, value) = (query?, key?, value?);
        let layer = Layer { query, key, value, output, output_norm, widen, narrow, narrow_norm };
        Some((layer, attention, before))
    }

    /// A sum of states and of what changes them: the last step of that, what goes into that
    /// step, and the states.
    fn change(&self, sum: &str) -> Option<(Linear<'a>, &'a str, &'a str)> {
        let (one, other) = self.pair(sum, "Add")?;
        [(one, other), (other, one)].into_iter().find_map(|(change, states)| {
            let (linear, from) = self.linear(change)?;
            Some((linear, from, states))
        })
    }

    /// A product with a matrix of bytes, its bias added; and what is multiplied.
    fn linear(&self, name: &str) -> Option<(Linear<'a>, &'a str)> {
        let (one, other) = self.pair(name, "Add")?;
        let (bias, product) = match (self.floats(one), self.floats(other)) {
            (Some(bias), None) => (bias, other),
            (None, Some(bias)) => (bias, one),
            _ => return None,
        };
        let (one, other) = self.pair(product, "Mul")?;
        let (whole, scales) = match (self.maker(one, "Cast"), self.maker(other, "Cast")) {
            (Some(whole), None) => (whole, other),
            (None, Some(whole)) => (whole, one),
            _ => return None,
        };
        let product = self.maker(whole.input(0)?, "MatMulInteger")?;
        let [bytes, weights, zero, weights_zero @ ..] = product.inputs.as_slice() else {
            return None;
        };
        let quantised = self.maker(bytes, "DynamicQuantizeLinear")?;
        let [its_bytes, its_scale, its_zero] = quantised.outputs.as_slice() else { return None };
        (its_bytes == bytes && its_zero == zero).then_some(())?;
        let (one, other) = self.pair(scales, "Mul")?;
        let scales = match (one == *its_scale, other == *its_scale) {
            (true, false) => self.floats(other)?,
            (false, true) => self.floats(one)?,
            _ => return None,
        };
        let scales = if scales.len() == 1 { vec![scales[0]; bias.len()] } else { scales };
        let weights = self.matrix(weights, weights_zero.first().copied(), bias.len())?;
        Some((Linear { weights, scales, bias }, quantised.input(0)?))
    }

    /// A matrix of signed bytes around zero, or of unsigned ones around their middle.
    fn matrix(&self, name: &str, zero: Option<&str>, outputs: usize) -> Option<Cow<'a, [i8]>> {
        let matrix = self.tensors.get(name)?;
        let bytes = matrix.raw?;
        let [inputs, its_outputs] = matrix.shape.as_slice() else { return None };
        (*its_outputs == outputs as u64 && inputs.checked_mul(*its_outputs)? == bytes.len() as u64)
            .then_some(())?;
        let zeros = match zero {
            Some(zero) => self.tensors.get(zero)?.bytes(matrix.kind)?,
            None => vec![0],
        };
        let middle = match matrix.kind {
            INT8 => 0,
            UINT8 => 128,
            _ => return None,
        };
        [1, outputs].contains(&zeros.len()).then_some(())?;
        zeros.iter().all(|zero| *zero == middle).then_some(())?;
        let signed = |byte: &u8| byte.wrapping_sub(middle).cast_signed();
        Some(bytes.iter().map(signed).collect::<Vec<_>>().into())
    }

    /// A normalised layer, and what is normalised.
    fn norm(&self, name: &str) -> Option<(Norm, &'a str)> {
        let (scaled, bias) = self.with_floats(name, "Add")?;
        let (quotient, weight) = self.with_floats(scaled, "Mul")?;
        let (apart, deviation) = self.pair(quotient, "Div")?;
        let (states, mean) = self.pair(apart, "Sub")?;
        self.is_mean(mean, states).then_some(())?;
        let (variance, epsilon) =
            self.with_number(self.maker(deviation, "Sqrt")?.input(0)?, "Add")?;
        let square = self.maker(variance, "ReduceMean")?.input(0)?;
        self.is_mean(variance, square).then_some(())?;
        let (base, power) = self.with_number(square, "Pow")?;
        (base == apart && power == 2.0).then_some(())?;
        Some((Norm { weight, bias, epsilon: epsilon as f32 }, states))
    }

    /// Over the last axis, which stays.
    fn is_mean(&self, name: &str, of: &str) -> bool {
        let mean = || {
            let mean = self.maker(name, "ReduceMean")?;
            let axes = mean.ints("axes").or_else(|| {
                let axes = self.numbers(mean.input(1)?)?;
                Some(axes.iter().map(|axis| *axis as i64 as u64).collect())
            })?;
            let keeps = mean.int("keepdims").is_none_or(|keeps| keeps == 1);
            Some(mean.input(0)? == of && keeps && [vec![u64::MAX], vec![2]].contains(&axes))
        };
        mean().unwrap_or(false)
    }

    /// What goes into `x * 0.5 * (1 + erf(x / sqrt(2)))`.
    fn gelu(&self, name: &str) -> Option<&'a str> {
        let (product, half) = self.with_number(name, "Mul")?;
        let (one, other) = self.pair(product, "Mul")?;
        let share = |name: &str| {
            let (erf, one) = self.with_number(name, "Add")?;
            let (x, root) = self.with_number(self.maker(erf, "Erf")?.input(0)?, "Div")?;
            let known = (root - std::f64::consts::SQRT_2).abs() < CLOSE && one == 1.0;
            known.then_some(x)
        };
        let (x, of) = match (share(one), share(other)) {
            (None, Some(of)) => (one, of),
            (Some(of), None) => (other, of),
            _ => return None,
        };
        (x == of && half == 0.5).then_some(x)
    }

    /// Words, positions and segments, whose rows are added up.
    fn tables(&self, sum: &str) -> Option<(Table<'a>, Table<'a>, Option<Table<'a>>)> {
        let (mut words, mut positions, mut segments) = (None, None, None);
        let mut open = vec![sum];
        while let Some(name) = open.pop() {
            if let Some((one, other)) = self.pair(name, "Add") {
                open.extend([one, other]);
                // There are three of them; a made-up file may go in circles.
                (open.len() <= 3).then_some(())?;
                continue;
            }
            let (table, index) = self.rows_of(name)?;
            let found = match index {
                "input_ids" => &mut words,
                "token_type_ids" => &mut segments,
                index if self.counts(index) => &mut positions,
                _ => return None,
            };
            found.is_none().then_some(())?;
            *found = Some(table);
        }
        Some((words?, positions?, segments))
    }

    /// Rows of a table of bytes, and what they are chosen by.
    fn rows_of(&self, name: &str) -> Option<(Table<'a>, &'a str)> {
        let numbers = self.maker(name, "DequantizeLinear")?;
        let rows = self.maker(numbers.input(0)?, "Gather")?;
        rows.int("axis").is_none_or(|axis| axis == 0).then_some(())?;
        let table = self.tensors.get(rows.input(0)?).filter(|table| table.kind == UINT8)?;
        let [_, width] = table.shape.as_slice() else { return None };
        let [zero] = self.tensors.get(numbers.input(2)?)?.bytes(UINT8)?[..] else { return None };
        let bytes = Cow::from(table.raw?);
        let (width, scale) = (usize::try_from(*width).ok()?, self.number(numbers.input(1)?)?);
        Some((Table { bytes, width, zero, scale: scale as f32 }, rows.input(1)?))
    }

    /// Whether it is 0, 1, 2 and so on, one for each token: the beginning of a tensor that
    /// counts, as long as the texts are.
    fn counts(&self, name: &str) -> bool {
        let counts = || {
            let cut = self.maker(name, "Slice")?;
            let all = self.tensors.get(cut.input(0)?).filter(|tensor| tensor.kind == INT64)?;
            let places = all.raw?.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes));
            let counts = places.zip(0..).all(|(place, expected)| place == expected);
            let from_start = self.number(cut.input(1)?)? == 0.0;
            let along = self.number(cut.input(3)?)? == 1.0 && all.shape.len() == 2;
            let by_one = cut.input(4).is_none_or(|step| self.number(step) == Some(1.0));
            let end = self.maker(cut.input(2)?, "Unsqueeze")?;
            let length = self.maker(end.input(0)?, "Gather")?;
            let of_ids = self.maker(length.input(0)?, "Shape")?.input(0)? == "input_ids";
            let second = self.number(length.input(1)?)? == 1.0;
            Some(counts && from_start && along && by_one && of_ids && second)
        };
        counts().unwrap_or(false)
    }

    /// What goes into an operator of two.
    fn pair(&self, name: &str, operator: &str) -> Option<(&'a str, &'a str)> {
        match self.maker(name, operator)?.inputs.as_slice() {
            [one, other] => Some((one, other)),
            _ => None,
        }
    }

    /// The same, of which one is a single number. It may stand first only where that makes
    /// no difference.
    fn with_number(&self, name: &str, operator: &str) -> Option<(&'a str, f64)> {
        let (one, other) = self.pair(name, operator)?;
        match self.number(other) {
            Some(number) => Some((one, number)),
            None if ["Add", "Mul"].contains(&operator) => Some((other, self.number(one)?)),
            None => None,
        }
    }

    /// The same, of which one is a list of numbers, one for each of a state.
    fn with_floats(&self, name: &str, operator: &str) -> Option<(&'a str, Vec<f32>)> {
        let (one, other) = self.pair(name, operator)?;
        match self.floats(other) {
            Some(floats) => Some((one, floats)),
            None => Some((other, self.floats(one)?)),
        }
    }

    /// All numbers of a list in the file.
    fn floats(&self, name: &str) -> Option<Vec<f32>> {
        let tensor = self.tensors.get(name)?;
        (tensor.kind == FLOAT && tensor.shape.len() <= 1).then_some(())?;
        let (numbers, []) = tensor.raw?.as_chunks::<4>() else { return None };
        let numbers: Vec<f32> = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        numbers.iter().all(|number| number.is_finite()).then_some(numbers)
    }
}

impl Tensor<'_> {
    /// A few bytes, which may be written as whole numbers.
    fn bytes(&self, kind: u64) -> Option<Vec<u8>> {
        (self.kind == kind).then_some(())?;
        match self.raw {
            Some(bytes) => Some(bytes.to_vec()),
            None => Some(self.ints.iter().map(|number| *number as u8).collect()),
        }
    }
}
