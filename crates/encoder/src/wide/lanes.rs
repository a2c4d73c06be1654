//! Sixteen numbers at once: in and out of memory, and what is done with each of them.

use std::arch::x86_64::*;

pub const LANES: usize = 16;

/// 2 to the power of `x`, within 3e-6 of it; 0 for what is far below 0.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn power_of_two(x: __m512) -> __m512 {
    let x = _mm512_max_ps(x, _mm512_set1_ps(-1000.0));
    let whole = _mm512_roundscale_ps::<0>(x);
    // Half at most: a sum of its powers.
    let left = _mm512_sub_ps(x, whole);
    let mut power = _mm512_set1_ps(1.333_355_8e-3);
    for factor in [9.618_129e-3, 5.550_411e-2, 2.402_265e-1, std::f32::consts::LN_2, 1.0] {
        power = _mm512_fmadd_ps(power, left, _mm512_set1_ps(factor));
    }
    _mm512_scalef_ps(power, whole)
}

/// `x` by the share of a normal distribution that is below it, within 2e-4 where that share
/// is none of 0 and 1: what comes of it becomes bytes, whose steps are a hundred times as wide.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn gelu(x: __m512) -> __m512 {
    let end = _mm512_set1_ps(3.9);
    let t = _mm512_min_ps(_mm512_max_ps(x, _mm512_sub_ps(_mm512_setzero_ps(), end)), end);
    let square = _mm512_mul_ps(t, t);
    // An odd polynomial, whose greatest error times `x` is the least there is.
    let mut sum = _mm512_set1_ps(2.627_143e-8);
    for factor in
        [-1.770_492_4e-6, 5.123_721_3e-5, -8.445_114e-4, 8.913_783e-3, -6.486_947e-2, 3.980_856e-1]
    {
        sum = _mm512_fmadd_ps(sum, square, _mm512_set1_ps(factor));
    }
    let share = _mm512_fmadd_ps(sum, t, _mm512_set1_ps(0.5));
    _mm512_mul_ps(x, share)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn load(numbers: &[f32; LANES]) -> __m512 {
    // SAFETY: there are as many.
    unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn store(numbers: &mut [f32; LANES], vector: __m512) {
    // SAFETY: there is room for as many.
    unsafe { _mm512_storeu_ps(numbers.as_mut_ptr(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn store_bytes(bytes: &mut [u8; LANES], vector: __m128i) {
    // SAFETY: there is room for as many.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn store_shorts(shorts: &mut [u16; LANES], vector: __m256i) {
    // SAFETY: there is room for as many.
    unsafe { _mm256_storeu_si256(shorts.as_mut_ptr().cast(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn store_whole(numbers: &mut [i32; LANES], vector: __m512i) {
    // SAFETY: there is room for as many.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), vector) }
}

/// The first of these, `V` registers of them.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn vectors<const V: usize>(numbers: &[f32]) -> [__m512; V] {
    // A closure would be called, not built in: what calls it is not compiled for this.
    let mut vectors = [_mm512_setzero_ps(); V];
    for (vector, numbers) in vectors.iter_mut().zip(numbers[..V * LANES].as_chunks().0) {
        *vector = load(numbers);
    }
    vectors
}

#[inline]
#[target_feature(enable = "avx512f")]
pub fn whole_vectors<const V: usize>(numbers: &[i32]) -> [__m512i; V] {
    let mut vectors = [_mm512_setzero_si512(); V];
    for (vector, numbers) in vectors.iter_mut().zip(numbers[..V * LANES].as_chunks::<LANES>().0) {
        // SAFETY: there are as many.
        *vector = unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) };
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::skipped;

    /// Of sixteen numbers.
    fn of(numbers: [f32; LANES], kernel: unsafe fn(__m512) -> __m512) -> [f32; LANES] {
        #[target_feature(enable = "avx512f")]
        fn on(numbers: &mut [f32; LANES], kernel: unsafe fn(__m512) -> __m512) {
            // SAFETY: it is one of the functions here, and the processor has what they need.
            let after = unsafe { kernel(load(numbers)) };
            store(numbers, after);
        }
        let mut after = numbers;
        // SAFETY: the caller has looked at the processor.
        unsafe { on(&mut after, kernel) };
        after
    }

    #[test]
    fn gelu_is_near_enough() {
        // By a sum of the normal distribution's density, finely.
        let below = |x: f64| {
            let steps = 4000;
            let at = |step: i32| {
                let x = x * (f64::from(step) + 0.5) / f64::from(steps);
                (-x * x / 2.0).exp()
            };
            let sum: f64 = (0..steps).map(at).sum();
            0.5 + sum * x / f64::from(steps) / std::f64::consts::TAU.sqrt()
        };
        if skipped() {
            return;
        }
        for tenth in -95..=95 {
            let x = tenth as f32 / 10.0;
            let [got, ..] = of([x; LANES], gelu);
            let expected = f64::from(x) * below(f64::from(x));
            assert!((f64::from(got) - expected).abs() < 2e-4, "{x}: {got} for {expected}");
        }
        let [most, ..] = of([1e6; LANES], gelu);
        assert!((most / 1e6 - 1.0).abs() < 1e-4);
        let [least, ..] = of([-1e6; LANES], gelu);
        assert!(least.abs() < 20.0);
    }

    #[test]
    fn powers_of_two_are_near_enough() {
        if skipped() {
            return;
        }
        for eighth in -960..=0 {
            let x = eighth as f32 / 8.0;
            let [got, ..] = of([x; LANES], power_of_two);
            assert!((got - x.exp2()).abs() <= x.exp2() * 4e-6, "{x}: {got}");
        }
        assert_eq!(of([f32::NEG_INFINITY; LANES], power_of_two), [0.0; LANES]);
    }
}
