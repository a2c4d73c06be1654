//! Vectors in memory, compared in two steps. A number is kept in sixteen bits, split
//! over two planes: the high bytes alone rank all vectors, at a quarter of the memory
//! traffic of full numbers, and both together give the similarities of the best.

use std::{
    io,
    ops::Range,
    sync::{Mutex, PoisonError},
};

use crate::{
    numbers::{Numbers, step_of},
    process, products,
    shelf::side_by_side,
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

/// Vectors that one thread takes in at a time.
const PART: usize = 4096;

/// A part of the vectors, while they are taken in.
pub(crate) struct Part<'a> {
    rows: Range<usize>,
    dims: usize,
    high: &'a mut [i8],
    low: &'a mut [i8],
    steps: &'a mut [f32],
    /// How many are there.
    count: usize,
    low_length: f32,
}

impl Part<'_> {
    /// The next vector.
    ///
    /// # Panics
    /// When it is one more than the part has rows, or has another length.
    pub fn push(&mut self, numbers: &Numbers) {
        let place = self.count * self.dims..(self.count + 1) * self.dims;
        let low_length = split(numbers, &mut self.high[place.clone()], &mut self.low[place]);
        self.steps[self.count] = numbers.step;
        self.low_length = self.low_length.max(low_length);
        self.count += 1;
    }
}

/// Splits numbers over both planes. Returns the length of the low part.
fn split(Numbers { step, steps }: &Numbers, high: &mut [i8], low: &mut [i8]) -> f32 {
    // One loop for each: a processor takes many numbers at once.
    let high_of = |number: &i16| (i32::from(*number) + 128) >> 8;
    let low_of = |number: &i16| i32::from(*number) - (high_of(number) << 8);
    high.iter_mut().zip(steps).for_each(|(high, number)| *high = high_of(number) as i8);
    low.iter_mut().zip(steps).for_each(|(low, number)| *low = low_of(number) as i8);
    let squares: i32 = steps.iter().map(low_of).map(|low| low * low).sum();
    (squares as f32).sqrt() * step
}

impl Planes {
    /// So many vectors, which `fill` gives part by part, on several threads: all of the rows
    /// that it is asked for, in order.
    pub fn filled(
        vectors: usize,
        dims: usize,
        fill: impl Fn(Range<usize>, &mut Part<'_>) -> io::Result<()> + Sync,
    ) -> io::Result<Self> {
        let numbers = vectors * dims;
        let (mut high, mut low, mut steps) =
            (vec![0; numbers], vec![0; numbers], vec![0.0; vectors]);
        process::in_large_pages(&mut high);
        let planes = high.chunks_mut(PART * dims.max(1)).zip(low.chunks_mut(PART * dims.max(1)));
        let parts = planes.zip(steps.chunks_mut(PART)).enumerate();
        let parts: Vec<_> = parts
            .map(|(number, ((high, low), steps))| {
                let rows = number * PART..number * PART + steps.len();
                Mutex::new(Part { rows, dims, high, low, steps, count: 0, low_length: 0.0 })
            })
            .collect();
        let filled = side_by_side(&parts, |part| {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            fill(part.rows.clone(), &mut part).map(|()| part.low_length)
        });
        let lengths = filled.into_iter().collect::<io::Result<Vec<_>>>()?;
        Ok(Self { high, low, steps, low_length: lengths.into_iter().fold(0.0, f32::max) })
    }

    pub fn push(&mut self, numbers: &Numbers) {
        let place = self.high.len()..self.high.len() + numbers.steps.len();
        self.high.resize(place.end, 0);
        self.low.resize(place.end, 0);
        let low_length = split(numbers, &mut self.high[place.clone()], &mut self.low[place]);
        self.steps.push(numbers.step);
        self.low_length = self.low_length.max(low_length);
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

    #[test]
    fn many_are_filled_by_parts_and_a_part_that_fails_fails_all() {
        let vectors: Vec<_> = (0..2 * PART + 5).map(|row| [row as f32, -1.0, 3.0]).collect();
        let planes = Planes::filled(vectors.len(), 3, |rows, part| {
            vectors[rows].iter().for_each(|vector| part.push(&Numbers::of(vector)));
            Ok(())
        });
        let (planes, asked) = (planes.unwrap(), Asked::new(&[1.0, 0.0, 0.0]));
        for row in [0, PART - 1, PART, 2 * PART + 4] {
            let similarity = planes.similarity(&asked, row);
            assert!((similarity - row as f32).abs() <= row as f32 * 1e-4, "{similarity}");
        }
        let failing = Planes::filled(vectors.len(), 3, |rows, _| match rows.start {
            0 => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        });
        assert!(failing.is_err());
    }

    proptest! {
        #[test]
        fn similarities_are_those_of_the_full_numbers(
            (vectors, asked) in prop::sample::select(vec![1, 4, 50, 384])
                .prop_flat_map(|dims| (prop::collection::vec(unit(dims), 1..20), unit(dims))),
        ) {
            let mut planes = Planes::default();
            vectors.iter().for_each(|vector| planes.push(&Numbers::of(vector)));
            let filled = Planes::filled(vectors.len(), asked.len(), |rows, part| {
                vectors[rows].iter().for_each(|vector| part.push(&Numbers::of(vector)));
                Ok(())
            });
            let filled = filled.unwrap();
            prop_assert_eq!((&filled.high, &filled.low), (&planes.high, &planes.low));
            prop_assert_eq!((&filled.steps, filled.low_length), (&planes.steps, planes.low_length));
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
            planes.push(&Numbers::of(&numbers));
            planes.push(&Numbers::of(&[0.0; 8]));
            let asked = Asked::new(&numbers);
            let exact: f32 = numbers.iter().map(|number| number * number).sum();
            prop_assert!((planes.similarity(&asked, 0) / exact - 1.0).abs() < 1e-3);
            prop_assert_eq!(planes.rough_similarities(&asked, 1..2)[0], 0.0);
        }
    }
}
