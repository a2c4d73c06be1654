//! A vector in sixteen bits a number: half of what full numbers take, and similarities
//! are the same within 0.0001.

use std::io::{self, Write};

use crate::products;

/// The largest number, so that a low byte never overflows into the next high one where
/// the two are kept apart.
const MOST: f32 = 127.0 * 256.0;

/// One vector's numbers.
#[derive(Debug)]
pub(crate) struct Numbers {
    /// What one step of the numbers is worth.
    pub step: f32,
    pub steps: Vec<i16>,
}

const STEP_BYTES: usize = 4;

impl Numbers {
    pub fn of(vector: &[f32]) -> Self {
        let step = step_of(vector, MOST);
        Self { step, steps: vector.iter().map(|number| (number / step).round() as i16).collect() }
    }

    /// What [`Numbers::write`] writes of a vector of so many numbers.
    pub const fn bytes(dims: usize) -> usize {
        STEP_BYTES + 2 * dims
    }

    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.step.to_le_bytes())?;
        self.steps.iter().try_for_each(|number| out.write_all(&number.to_le_bytes()))
    }

    /// A vector as it was written.
    pub fn written(written: &[u8]) -> Self {
        let (step, steps) = step_and_steps(written);
        let steps = steps.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]]));
        Self { step, steps: steps.collect() }
    }

    /// The similarity of a written vector to another.
    pub fn similarity(written: &[u8], vector: &[f32]) -> f32 {
        let (step, steps) = step_and_steps(written);
        products::of_written(steps, vector) * step
    }
}

fn step_and_steps(written: &[u8]) -> (f32, &[u8]) {
    let (step, steps) = written.split_at(STEP_BYTES);
    let step = f32::from_le_bytes([step[0], step[1], step[2], step[3]]);
    // A damaged one would be nearer than all others.
    (if step.is_finite() { step } else { 0.0 }, steps)
}

/// The step at which the largest number becomes `most`.
pub(crate) fn step_of(vector: &[f32], most: f32) -> f32 {
    let largest = vector.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
    if largest > 0.0 { largest / most } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_written_vector_is_as_similar_as_the_full_one(
            (vector, other) in (1usize..64).prop_flat_map(|dims| {
                let numbers = || prop::collection::vec(-1.0f32..1.0, dims);
                (numbers(), numbers())
            }),
        ) {
            let mut written = Vec::new();
            Numbers::of(&vector).write(&mut written).unwrap();
            prop_assert_eq!(written.len(), Numbers::bytes(vector.len()));
            let exact: f32 = vector.iter().zip(&other).map(|(a, b)| a * b).sum();
            let length = |v: &[f32]| v.iter().map(|n| n * n).sum::<f32>().sqrt();
            let bound = 1e-4 * (length(&vector) * length(&other)).max(1e-3);
            prop_assert!((Numbers::similarity(&written, &other) - exact).abs() <= bound);
            let (read, made) = (Numbers::written(&written), Numbers::of(&vector));
            prop_assert_eq!((read.step, read.steps), (made.step, made.steps));
        }
    }
}
