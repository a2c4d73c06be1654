//! Vectors in memory, compared in two steps. A number is kept in sixteen bits, split
//! over two planes: the high bytes alone rank all vectors, at a quarter of the memory
//! traffic of full numbers, and both together give the similarities of the best.

use std::ops::Range;

use crate::{
    numbers::{Numbers, step_of},
    process, products,
};

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

/// A sum of so many products of the two with a high byte fits in 32 bits.
const MOST_ROUGH: f32 = 8191.0;
const MOST_DIMS: f32 = 2048.0;

impl<'a> Asked<'a> {
    pub fn new(vector: &'a [f32]) -> Self {
        let most = MOST_ROUGH * (MOST_DIMS / vector.len().max(1) as f32).min(1.0);
        let step = step_of(vector, most);
        let rough: Vec<_> = vector.iter().map(|number| (number / step).round() as i16).collect();
        let left_out = vector.iter().zip(&rough).map(|(number, rough)| {
            let left_out = number - f32::from(*rough) * step;
            left_out * left_out
        });
        Self { left_out: left_out.sum::<f32>().sqrt(), vector, rough, step }
    }
}

impl Planes {
    /// With room for so many vectors.
    pub fn with_room(vectors: usize, dims: usize) -> Self {
        let mut planes = Self::default();
        planes.high.reserve_exact(vectors * dims);
        planes.low.reserve_exact(vectors * dims);
        planes.steps.reserve_exact(vectors);
        process::in_large_pages(&mut planes.high);
        planes
    }

    pub fn push(&mut self, Numbers { step, steps }: Numbers) {
        // One loop for each: a processor takes many numbers at once.
        let high = |number: &i16| (i32::from(*number) + 128) >> 8;
        let low = |number: &i16| i32::from(*number) - (high(number) << 8);
        self.high.extend(steps.iter().map(|number| high(number) as i8));
        self.low.extend(steps.iter().map(|number| low(number) as i8));
        let squares: i32 = steps.iter().map(low).map(|low| low * low).sum();
        self.steps.push(step);
        self.low_length = self.low_length.max((squares as f32).sqrt() * step);
    }

    /// How far a rough similarity may be off, for unit vectors: no sum of products is
    /// larger than the product of the lengths.
    pub fn roughness(&self, asked: &Asked<'_>) -> f32 {
        self.low_length + asked.left_out * (1.0 + self.low_length)
    }

    /// The similarity of the vector at `row`, within 0.0001.
    pub fn similarity(&self, asked: &Asked<'_>, row: usize) -> f32 {
        let numbers = row * asked.vector.len()..(row + 1) * asked.vector.len();
        let (high, low) = (&self.high[numbers.clone()], &self.low[numbers]);
        products::of_halves(high, low, asked.vector) * self.steps[row]
    }

    /// The similarities of these vectors by their high bytes alone, in order.
    pub fn rough_similarities(&self, asked: &Asked<'_>, rows: Range<usize>) -> Vec<f32> {
        let dims = asked.vector.len();
        let mut sums = vec![0; rows.len()];
        products::of_rows(&self.high[rows.start * dims..rows.end * dims], &asked.rough, &mut sums);
        let step = asked.step * 256.0;
        sums.iter()
            .zip(&self.steps[rows])
            .map(|(sum, of_row)| *sum as f32 * of_row * step)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::products::dot;

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
            vectors.iter().for_each(|vector| planes.push(Numbers::of(vector)));
            let asked = Asked::new(&asked);
            let rough = planes.rough_similarities(&asked, 0..vectors.len());
            for (row, vector) in vectors.iter().enumerate() {
                let exact: f32 = vector.iter().zip(asked.vector).map(|(a, b)| a * b).sum();
                prop_assert!((planes.similarity(&asked, row) - exact).abs() < 1e-4);
                prop_assert!((rough[row] - exact).abs() <= planes.roughness(&asked) + 1e-5);
            }
        }

        #[test]
        fn no_number_overflows(numbers in prop::collection::vec(-1e9f32..1e9, 8)) {
            let mut planes = Planes::default();
            planes.push(Numbers::of(&numbers));
            planes.push(Numbers::of(&[0.0; 8]));
            let asked = Asked::new(&numbers);
            let exact: f32 = numbers.iter().map(|number| number * number).sum();
            prop_assert!((planes.similarity(&asked, 0) / exact - 1.0).abs() < 1e-3);
            prop_assert_eq!(planes.rough_similarities(&asked, 1..2)[0], 0.0);
        }
    }
}
