//! From the model's numbers for each token to one unit vector a text.

use rummage_models::Pooling;

/// One text's vector, of length 1, added to the end of `values`. `states` holds
/// `dims` numbers for each of the text's tokens, padding left out. `false`, with
/// nothing added, when they give no direction: all zero, or not numbers.
pub fn pool(states: &[f32], dims: usize, pooling: Pooling, values: &mut Vec<f32>) -> bool {
    let start = values.len();
    match pooling {
        Pooling::Cls => values.extend(states.iter().take(dims)),
        Pooling::Mean => {
            // The sum has the mean's direction, and only that counts.
            values.resize(start + dims, 0.0);
            for state in states.chunks_exact(dims) {
                values[start..].iter_mut().zip(state).for_each(|(sum, number)| *sum += number);
            }
        }
    }
    let vector = &mut values[start..];
    let length = vector.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>().sqrt();
    let directed = vector.len() == dims && length.is_finite() && length > 0.0;
    if directed {
        vector.iter_mut().for_each(|number| *number = (f64::from(*number) / length) as f32);
    } else {
        values.truncate(start);
    }
    directed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(states: &[f32], pooling: Pooling, expected: Option<&[f32]>) {
        let mut values = vec![9.0];
        let directed = pool(states, 2, pooling, &mut values);
        assert_eq!(directed, expected.is_some());
        assert_eq!(values[0], 9.0, "what was there stays");
        assert_eq!(&values[1..], expected.unwrap_or_default());
    }

    #[test]
    fn the_mean_is_of_all_tokens_and_cls_is_the_first() {
        check(&[3.0, 0.0, 3.0, 8.0], Pooling::Mean, Some(&[0.6, 0.8]));
        check(&[0.0, 5.0, 3.0, 8.0], Pooling::Cls, Some(&[0.0, 1.0]));
    }

    #[test]
    fn what_has_no_direction_is_no_vector() {
        check(&[], Pooling::Mean, None);
        check(&[], Pooling::Cls, None);
        check(&[1.0, 2.0, -1.0, -2.0], Pooling::Mean, None);
        check(&[f32::NAN, 1.0], Pooling::Cls, None);
        check(&[f32::INFINITY, 1.0], Pooling::Mean, None);
    }

    proptest! {
        #[test]
        fn vectors_have_length_one(
            states in prop::collection::vec(-1e3f32..1e3, 8..=8),
            mean in any::<bool>(),
        ) {
            let pooling = if mean { Pooling::Mean } else { Pooling::Cls };
            let mut values = Vec::new();
            if pool(&states, 4, pooling, &mut values) {
                let length: f32 = values.iter().map(|number| number * number).sum();
                prop_assert!((length - 1.0).abs() < 1e-4, "{length}");
            }
        }
    }
}
