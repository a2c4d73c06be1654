//! How numbers lie in memory for the kernels.

/// Outputs that are computed side by side: four registers of sixteen.
pub const COLUMNS: usize = 64;

/// Four inputs of each of [`COLUMNS`] outputs, four bytes together.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub struct Step(pub [i32; COLUMNS]);

impl Step {
    pub const ZERO: Self = Self([0; COLUMNS]);
}

/// Weights in panels of [`COLUMNS`] outputs, each panel in the order in which it is read.
#[derive(Debug)]
pub struct Packed {
    pub steps: Vec<Step>,
    pub inputs: usize,
    /// One an output.
    pub scales: Vec<f32>,
    /// One an output.
    pub bias: Vec<f32>,
    /// Of all weights of each output: what it gives where every input is 1.
    pub sums: Vec<f32>,
}

impl Packed {
    /// The outputs of all of these, one after the other. All have the same inputs.
    pub fn of(linears: &[&crate::Linear]) -> Self {
        let outputs = linears.iter().map(|linear| linear.scales.len()).sum();
        let inputs = linears[0].weights.len() / linears[0].scales.len();
        let mut packed = Self {
            steps: Vec::with_capacity(inputs / 4 * outputs / COLUMNS),
            inputs,
            scales: Vec::with_capacity(outputs),
            bias: Vec::with_capacity(outputs),
            sums: Vec::with_capacity(outputs),
        };
        for linear in linears {
            packed.push(linear);
        }
        packed
    }

    fn push(&mut self, linear: &crate::Linear) {
        let outputs = linear.scales.len();
        for first in (0..outputs).step_by(COLUMNS) {
            let mut sums = [0; COLUMNS];
            for rows in linear.weights.chunks_exact(4 * outputs) {
                let mut step = Step::ZERO;
                for (column, (four, sum)) in step.0.iter_mut().zip(&mut sums).enumerate() {
                    let bytes = [0, 1, 2, 3].map(|row| rows[row * outputs + first + column]);
                    *sum += bytes.iter().map(|&byte| i32::from(byte)).sum::<i32>();
                    *four = i32::from_le_bytes(bytes.map(i8::cast_unsigned));
                }
                self.steps.push(step);
            }
            let scales = &linear.scales[first..first + COLUMNS];
            self.sums.extend(sums.iter().zip(scales).map(|(&sum, scale)| sum as f32 * scale));
        }
        self.scales.extend(&linear.scales);
        self.bias.extend(&linear.bias);
    }

    pub fn outputs(&self) -> usize {
        self.scales.len()
    }
}

/// Rows of bytes: a byte `b` of a row stands for `least + b * scale` of that row.
#[derive(Debug, Default)]
pub struct Rows {
    pub bytes: Vec<u8>,
    pub scales: Vec<f32>,
    pub least: Vec<f32>,
}

impl Rows {
    pub fn resize(&mut self, rows: usize, width: usize) {
        self.bytes.resize(rows * width, 0);
        self.scales.resize(rows, 0.0);
        self.least.resize(rows, 0.0);
    }
}
