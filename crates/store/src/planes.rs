//! Vectors in memory, compared in two steps. A number is kept in sixteen bits, split
//! over two planes: the high bytes alone rank all vectors, at a quarter of the memory
//! traffic of full numbers, and both together give the similarities of the best.

use crate::numbers::{Numbers, step_of};

/// Unit vectors of one length, by their order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Planes {
    high: Vec<i8>,
    low: Vec<i8>,
    /// What one step of each vector's numbers is worth.
    steps: Vec<f32>,
    /// The length of the longest low part.
    low_length: f32,
}

/// A question's vector, ready to be compared.
pub(crate) struct Asked<'a> {
    vector: &'a [f32],
    rough: Vec<i16>,
    /// What one step of the rough numbers is worth.
    step: f32,
    /// How long what these leave out is.
    left_out: f32,
}

/// A sum of 2,048 products with a high byte fits in 32 bits.
const MOST_ROUGH: f32 = 8191.0;

impl<'a> Asked<'a> {
    pub fn new(vector: &'a [f32]) -> Self {
        let step = step_of(vector, MOST_ROUGH);
        let rough: Vec<_> = vector.iter().map(|number| (number / step).round() as i16).collect();
        let left_out = vector.iter().zip(&rough).map(|(number, rough)| {
            let left_out = number - f32::from(*rough) * step;
            left_out * left_out
        });
        Self { left_out: left_out.sum::<f32>().sqrt(), vector, rough, step }
    }
}

impl Planes {
    pub fn push(&mut self, vector: &[f32]) {
        let Numbers { step, steps } = Numbers::of(vector);
        let mut low_length = 0.0;
        for number in steps {
            let number = i32::from(number);
            let high = (number + 128) >> 8;
            let low = number - (high << 8);
            self.high.push(high as i8);
            self.low.push(low as i8);
            low_length += (low * low) as f32;
        }
        self.steps.push(step);
        self.low_length = self.low_length.max(low_length.sqrt() * step);
    }

    /// How far a rough similarity may be off, for unit vectors: no sum of products is
    /// larger than the product of the lengths.
    pub fn roughness(&self, asked: &Asked<'_>) -> f32 {
        self.low_length + asked.left_out * (1.0 + self.low_length)
    }

    /// The similarity of the vector at `row`, within 0.0001.
    pub fn similarity(&self, asked: &Asked<'_>, row: usize) -> f32 {
        let numbers = row * asked.vector.len()..(row + 1) * asked.vector.len();
        let number = |(high, low): (&i8, &i8)| f32::from(i16::from(*high) * 256 + i16::from(*low));
        let numbers = self.high[numbers.clone()].iter().zip(&self.low[numbers]).map(number);
        numbers.zip(asked.vector).map(|(a, b)| a * b).sum::<f32>() * self.steps[row]
    }

    /// The similarities of all vectors by their high bytes alone, in order.
    pub fn rough_similarities(&self, asked: &Asked<'_>) -> Vec<f32> {
        let mut sums = vec![0; self.steps.len()];
        multiply(&self.high, &asked.rough, &mut sums);
        let step = asked.step * 256.0;
        sums.iter().zip(&self.steps).map(|(sum, of_row)| *sum as f32 * of_row * step).collect()
    }
}

/// The product of each row, of as many numbers as `vector` has, with it.
fn multiply(rows: &[i8], vector: &[i16], sums: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { multiply_avx2(rows, vector, sums) };
    }
    multiply_plain(rows, vector, sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn multiply_avx2(rows: &[i8], vector: &[i16], sums: &mut [i32]) {
    multiply_plain(rows, vector, sums);
}

#[inline(always)]
fn multiply_plain(rows: &[i8], vector: &[i16], sums: &mut [i32]) {
    for (row, sum) in rows.chunks_exact(vector.len()).zip(sums) {
        let products = row.iter().zip(vector).map(|(a, b)| i32::from(*a).wrapping_mul((*b).into()));
        // They cannot overflow; where each step asks whether they did, they are ten times
        // slower.
        *sum = products.fold(0, i32::wrapping_add);
    }
}

/// Products of full numbers.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { dot_avx2(a, b) };
    }
    dot_plain(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
    dot_plain(a, b)
}

/// Sixteen sums side by side, which processors add at once.
#[inline(always)]
fn dot_plain(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 16];
    for (a, b) in a.zip(b) {
        for i in 0..16 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(dims: usize) -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-1.0f32..1.0, dims).prop_map(|mut vector| {
            vector[0] += 0.1;
            let length = dot(&vector, &vector).sqrt().max(1e-6);
            vector.iter_mut().for_each(|number| *number /= length);
            vector
        })
    }

    proptest! {
        #[test]
        fn similarities_are_those_of_the_full_numbers(
            (vectors, asked) in prop::sample::select(vec![1, 4, 50, 384])
                .prop_flat_map(|dims| (prop::collection::vec(unit(dims), 1..20), unit(dims))),
        ) {
            let mut planes = Planes::default();
            vectors.iter().for_each(|vector| planes.push(vector));
            let asked = Asked::new(&asked);
            let rough = planes.rough_similarities(&asked);
            for (row, vector) in vectors.iter().enumerate() {
                let exact: f32 = vector.iter().zip(asked.vector).map(|(a, b)| a * b).sum();
                prop_assert!((dot(vector, asked.vector) - exact).abs() < 1e-5);
                prop_assert!((planes.similarity(&asked, row) - exact).abs() < 1e-4);
                prop_assert!((rough[row] - exact).abs() <= planes.roughness(&asked) + 1e-5);
            }
        }

        #[test]
        fn no_number_overflows(numbers in prop::collection::vec(-1e9f32..1e9, 8)) {
            let mut planes = Planes::default();
            planes.push(&numbers);
            planes.push(&[0.0; 8]);
            let asked = Asked::new(&numbers);
            let exact: f32 = numbers.iter().map(|number| number * number).sum();
            prop_assert!((planes.similarity(&asked, 0) / exact - 1.0).abs() < 1e-3);
            prop_assert_eq!(planes.rough_similarities(&asked)[1], 0.0);
        }
    }
}
