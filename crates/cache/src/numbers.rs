//! A vector's numbers as bytes: two a number, in steps of which the largest number has
//! 32,767. Half the size of full numbers, and finer than half-precision ones: numbers
//! of a unit vector are all small.

const MOST: f32 = 32_767.0;

/// The step, then the numbers in steps; little end first.
pub fn write(vector: &[f32]) -> Vec<u8> {
    let largest = vector.iter().fold(0.0f32, |largest, number| largest.max(number.abs()));
    let step = if largest > 0.0 { largest / MOST } else { 1.0 };
    let steps = vector.iter().map(|number| (number / step).round() as i16);
    let mut bytes = step.to_le_bytes().to_vec();
    bytes.extend(steps.flat_map(i16::to_le_bytes));
    bytes
}

/// Undoes [`write`]; `None` for what is no unit vector of so many numbers.
pub fn read(bytes: &[u8], dims: usize) -> Option<Vec<f32>> {
    let (step, steps) = bytes.split_first_chunk()?;
    if steps.len() != 2 * dims {
        return None;
    }
    let step = f32::from_le_bytes(*step);
    let number = |bytes: &[u8]| f32::from(i16::from_le_bytes([bytes[0], bytes[1]])) * step;
    let vector: Vec<f32> = steps.chunks_exact(2).map(number).collect();
    let length: f32 = vector.iter().map(|number| number * number).sum();
    ((length - 1.0).abs() < 0.01).then_some(vector)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_as_they_went(numbers in prop::collection::vec(-1.0f32..1.0, 1..400)) {
            let length = numbers.iter().map(|number| number * number).sum::<f32>().sqrt();
            prop_assume!(length > 1e-3);
            let vector: Vec<f32> = numbers.iter().map(|number| number / length).collect();
            let read = read(&write(&vector), vector.len()).unwrap();
            for (a, b) in vector.iter().zip(read) {
                prop_assert!((a - b).abs() < 5e-5);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40), dims in 0usize..20) {
            if let Some(vector) = read(&bytes, dims) {
                prop_assert_eq!(vector.len(), dims);
            }
        }
    }
}
