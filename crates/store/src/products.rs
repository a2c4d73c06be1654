//! The loops that questions spend their time in: sums of products, over numbers of
//! several forms. Each is written so that the compiler does many at once, and compiled
//! twice: for the processor that is there, where it has wide registers, and for any.

/// Sums side by side, which processors add at once.
const LANES: usize = 16;

macro_rules! for_this_processor {
    ($(#[$doc:meta])* fn $name:ident($($argument:ident: $of:ty),*) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        pub(crate) fn $name($($argument: $of),*) $(-> $result)? {
            #[inline(always)]
            fn plain($($argument: $of),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2($($argument: $of),*) $(-> $result)? {
                plain($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has what the function was compiled for.
                return unsafe { avx2($($argument),*) };
            }
            plain($($argument),*)
        }
    };
}

pub(crate) use for_this_processor;

for_this_processor! {
    /// Of two vectors.
    fn dot(a: &[f32], b: &[f32]) -> f32 {
        let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
        let mut sums = [0.0; LANES];
        for (a, b) in a.zip(b) {
            for i in 0..LANES {
                sums[i] += a[i] * b[i];
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}

for_this_processor! {
    /// Of numbers in sixteen bits, as the high and the low halves, and a vector.
    fn of_halves(high: &[i8], low: &[i8], b: &[f32]) -> f32 {
        let number = |high: i8, low: i8| f32::from(i16::from(high) * 256 + i16::from(low));
        let whole = b.len() / LANES * LANES;
        let rest = high[whole..].iter().zip(&low[whole..]).zip(&b[whole..]);
        let rest: f32 = rest.map(|((high, low), b)| number(*high, *low) * b).sum();
        let halves = high.chunks_exact(LANES).zip(low.chunks_exact(LANES));
        let mut sums = [0.0; LANES];
        for ((high, low), b) in halves.zip(b.chunks_exact(LANES)) {
            for i in 0..LANES {
                sums[i] += number(high[i], low[i]) * b[i];
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}

for_this_processor! {
    /// Of numbers in sixteen bits, little end first, and a vector.
    fn of_written(a: &[u8], b: &[f32]) -> f32 {
        let number = |a: &[u8]| f32::from(i16::from_le_bytes([a[0], a[1]]));
        let (a, b) = (a.chunks_exact(2 * LANES), b.chunks_exact(LANES));
        let rest = a.remainder().chunks_exact(2).zip(b.remainder());
        let rest: f32 = rest.map(|(a, b)| number(a) * b).sum();
        let mut sums = [0.0; LANES];
        for (a, b) in a.zip(b) {
            for i in 0..LANES {
                sums[i] += number(&a[2 * i..2 * i + 2]) * b[i];
            }
        }
        sums.iter().sum::<f32>() + rest
    }
}

/// Of each row, of as many numbers as `vector` has, and it.
pub(crate) fn of_rows(rows: &[i8], vector: &[i16], sums: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function was compiled for.
        return unsafe { of_rows_avx2(rows, vector, sums) };
    }
    for (row, sum) in rows.chunks_exact(vector.len()).zip(sums) {
        *sum = of_row(row, vector);
    }
}

fn of_row(row: &[i8], vector: &[i16]) -> i32 {
    let products = row.iter().zip(vector).map(|(a, b)| i32::from(*a).wrapping_mul((*b).into()));
    // They cannot overflow; where each step asks whether they did, they are ten times
    // slower.
    products.fold(0, i32::wrapping_add)
}

/// What is read so many bytes ahead is there in time. All rows of an index do not fit in
/// the processor's caches, and what looks ahead by itself stops at every page's end: with
/// this, a hundred thousand rows take half the time.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 4096;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn of_rows_avx2(rows: &[i8], vector: &[i16], sums: &mut [i32]) {
    use std::arch::x86_64::{
        __m128i, __m256i, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm256_add_epi32,
        _mm256_cvtepi8_epi16, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_setzero_si256,
        _mm256_storeu_si256,
    };
    /// A line of the cache.
    const STEP: usize = 64;
    const WIDTH: usize = 16;
    let (steps, rest) = vector.as_chunks::<STEP>();
    for (row, sum) in rows.chunks_exact(vector.len()).zip(sums) {
        let (row_steps, row_rest) = row.as_chunks::<STEP>();
        let mut lanes = [_mm256_setzero_si256(); STEP / WIDTH];
        for (row, vector) in row_steps.iter().zip(steps) {
            _mm_prefetch(row.as_ptr().wrapping_add(AHEAD), _MM_HINT_T0);
            for (i, lane) in lanes.iter_mut().enumerate() {
                let (row, vector) = (&row[i * WIDTH..][..WIDTH], &vector[i * WIDTH..][..WIDTH]);
                // SAFETY: both hold as many numbers as are loaded.
                let (row, vector) = unsafe {
                    let row = _mm_loadu_si128(row.as_ptr().cast::<__m128i>());
                    (row, _mm256_loadu_si256(vector.as_ptr().cast::<__m256i>()))
                };
                let products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(row), vector);
                *lane = _mm256_add_epi32(*lane, products);
            }
        }
        let lanes = lanes.into_iter().reduce(|a, b| _mm256_add_epi32(a, b));
        let mut whole = [0_i32; 8];
        if let Some(lanes) = lanes {
            // SAFETY: it is as wide as what is stored.
            unsafe { _mm256_storeu_si256(whole.as_mut_ptr().cast::<__m256i>(), lanes) };
        }
        *sum = whole.iter().sum::<i32>() + of_row(row_rest, rest);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_have_the_products_of_their_numbers(
            (rows, vector) in prop::sample::select(vec![1, 63, 64, 100, 384]).prop_flat_map(|dims| {
                let row = prop::collection::vec(any::<i8>(), dims);
                (prop::collection::vec(row, 0..5), prop::collection::vec(-8191_i16..=8191, dims))
            }),
        ) {
            let expected: Vec<i32> = rows
                .iter()
                .map(|row| row.iter().zip(&vector).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum())
                .collect();
            let mut sums = vec![0; rows.len()];
            of_rows(&rows.concat(), &vector, &mut sums);
            prop_assert_eq!(sums, expected);
        }

        #[test]
        fn all_forms_have_the_same_products(
            pairs in prop::collection::vec((any::<i16>(), -1.0f32..1.0), 0..70),
        ) {
            // Halves whose low part would overflow into the high one are never made.
            let (numbers, b): (Vec<_>, Vec<_>) =
                pairs.into_iter().map(|(a, b)| (a.clamp(-32512, 32512), b)).unzip();
            let exact: f64 =
                numbers.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let close = |sum: f32| (f64::from(sum) - exact).abs() < 0.5;
            let a: Vec<_> = numbers.iter().map(|a| f32::from(*a)).collect();
            prop_assert!(close(dot(&a, &b)));
            let high: Vec<_> =
                numbers.iter().map(|a| ((i32::from(*a) + 128) >> 8) as i8).collect();
            let low: Vec<_> = numbers
                .iter()
                .zip(&high)
                .map(|(a, high)| (i32::from(*a) - i32::from(*high) * 256) as i8)
                .collect();
            prop_assert!(close(of_halves(&high, &low, &b)));
            let written: Vec<_> = numbers.iter().flat_map(|a| a.to_le_bytes()).collect();
            prop_assert!(close(of_written(&written, &b)));
        }
    }
}
