//! Vectors without a model: what the faulty worker answers with, and how tests
//! compare vectors.

use crate::Dice;

/// The unit vector that the faulty worker gives for a text: the sum of one
/// pseudo-random direction a token, so that texts with tokens in common are
/// near each other. A text without tokens points along the first axis.
pub fn vector_of(token_ids: &[u32], dims: usize) -> Vec<f32> {
    let mut sum = vec![0.0; dims];
    for &id in token_ids {
        let mut dice = Dice::new(u64::from(id) + 1);
        sum.iter_mut().for_each(|number| *number += dice.signed());
    }
    let length = sum.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length == 0.0 {
        sum[0] = 1.0;
    } else {
        sum.iter_mut().for_each(|number| *number /= length);
    }
    sum
}

/// The cosine of the angle between two vectors, from -1 to 1; 0 where one is zero.
pub fn cosine(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len(), "vectors of different widths have no angle");
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(left, left) * dot(right, right)).sqrt();
    if lengths == 0.0 { 0.0 } else { dot(left, right) / lengths }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_length_one() {
        for ids in [vec![], vec![0], vec![1, 2, 3], vec![9; 500]] {
            let vector = vector_of(&ids, 16);
            assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
            assert!((vector.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-4);
        }
    }

    #[test]
    fn texts_with_tokens_in_common_are_nearer() {
        let [query, near, far] =
            [[1, 2, 3], [1, 2, 9], [7, 8, 9]].map(|ids: [u32; 3]| vector_of(&ids, 64));
        assert!(cosine(&query, &near) > cosine(&query, &far) + 0.2);
    }
}
