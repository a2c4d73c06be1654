//! What a model is made of, as its file has it.

use std::borrow::Cow;

/// The whole network. All widths follow from `words.width`.
#[derive(Debug, Clone)]
pub struct Weights<'a> {
    /// A row a token of the vocabulary.
    pub words: Table<'a>,
    /// A row a place in the text.
    pub positions: Table<'a>,
    /// The first row is added to every token.
    pub segments: Option<Table<'a>>,
    pub norm: Norm,
    pub layers: Vec<Layer<'a>>,
    /// Heads of each attention.
    pub heads: usize,
    /// What the products of queries and keys are multiplied by.
    pub scale: f32,
}

/// Rows of `width` bytes: a byte `b` stands for `(b - zero) * scale`.
#[derive(Debug, Clone)]
pub struct Table<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub width: usize,
    pub zero: u8,
    pub scale: f32,
}

#[derive(Debug, Clone)]
pub struct Layer<'a> {
    pub query: Linear<'a>,
    pub key: Linear<'a>,
    pub value: Linear<'a>,
    /// What attention found, on its way back into the states.
    pub output: Linear<'a>,
    pub output_norm: Norm,
    /// Into the wide inner layer, Gelu behind it, and back.
    pub widen: Linear<'a>,
    pub narrow: Linear<'a>,
    pub narrow_norm: Norm,
}

/// `x * weights + bias`: a weight `w` of the output `o` stands for `w * scales[o]`.
#[derive(Debug, Clone)]
pub struct Linear<'a> {
    /// A row of outputs an input.
    pub weights: Cow<'a, [i8]>,
    /// One an output.
    pub scales: Vec<f32>,
    /// One an output.
    pub bias: Vec<f32>,
}

/// Layer normalisation.
#[derive(Debug, Clone)]
pub struct Norm {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
    pub epsilon: f32,
}

/// Of one output.
const MOST_INPUTS: usize = 1 << 16;

/// Of one text: the more there are, the coarser are the weights of a sum of values.
pub(crate) const MOST_TOKENS: usize = 1024;

impl Weights<'_> {
    /// Whether all sizes fit together and to what the kernels take: widths by 64s, heads of
    /// 32 or 64 numbers, no sum of products that 32 bits do not hold.
    pub(crate) fn fit(&self) -> bool {
        let width = self.words.width;
        let tables = [Some(&self.words), Some(&self.positions), self.segments.as_ref()];
        let tables = tables.into_iter().flatten();
        let fits = |table: &Table| {
            table.width == width
                && !table.bytes.is_empty()
                && table.bytes.len().is_multiple_of(width)
        };
        width > 0
            && width.is_multiple_of(64)
            && width <= MOST_INPUTS
            && self.scale.is_finite()
            && self.scale > 0.0
            && self.heads > 0
            && width.is_multiple_of(self.heads)
            && [32, 64].contains(&(width / self.heads))
            && tables.into_iter().all(fits)
            && self.positions.bytes.len() / width <= MOST_TOKENS
            && self.norm.fits(width)
            && self.layers.iter().all(|layer| layer.fits(width))
    }
}

impl Table<'_> {
    /// What its bytes stand for, row by row.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f32> {
        self.bytes.iter().map(|&byte| self.number(byte))
    }

    /// What a byte stands for.
    #[inline]
    pub(crate) fn number(&self, byte: u8) -> f32 {
        (f32::from(byte) - f32::from(self.zero)) * self.scale
    }
}

impl Layer<'_> {
    fn fits(&self, width: usize) -> bool {
        let inner = self.widen.scales.len();
        let square = [&self.query, &self.key, &self.value, &self.output];
        square.iter().all(|linear| linear.fits(width, width))
            && inner > 0
            && inner.is_multiple_of(64)
            && inner <= MOST_INPUTS
            && self.widen.fits(width, inner)
            && self.narrow.fits(inner, width)
            && self.output_norm.fits(width)
            && self.narrow_norm.fits(width)
    }
}

impl Linear<'_> {
    fn fits(&self, inputs: usize, outputs: usize) -> bool {
        let lengths = [self.scales.len(), self.bias.len()];
        lengths == [outputs; 2] && self.weights.len() == inputs * outputs
    }
}

impl Norm {
    fn fits(&self, width: usize) -> bool {
        [self.weight.len(), self.bias.len()] == [width; 2] && self.epsilon >= 0.0
    }
}
