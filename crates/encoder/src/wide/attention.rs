//! Attention: what each token takes from all, one head of one text at a time.

use std::arch::x86_64::*;

use super::{TILE, VECTORS, lanes::*, products};
use crate::{
    encoder::Head,
    layout::{COLUMNS, Step},
};

/// One head of one text.
pub struct Attention<'a> {
    /// A row a token: queries, keys and values of all heads.
    pub projections: &'a [f32],
    /// Of a state.
    pub width: usize,
    pub head: usize,
    pub scale: f32,
}

/// What is added to a query's bytes, which a product of bytes wants without a sign.
const MIDDLE: i32 = 128;

/// Values become whole numbers up to this, with either sign.
const MOST_VALUE: f32 = 511.0;

/// The greatest weight of a query becomes this: the sum of as many values, each by that
/// weight, still is a number of 32 bits.
fn most_weight(tokens: usize) -> f32 {
    ((1 << 21) / tokens.max(512)) as f32
}

impl Attention<'_> {
    /// For each token the values of all, by how its query meets their keys. A head has `V`
    /// registers of numbers.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub fn run<const V: usize>(&self, head: &mut Head, out: &mut [f32]) {
        let size = V * LANES;
        let rows = self.projections.chunks_exact(self.width * 3);
        let tokens = rows.len();
        let panels = tokens.div_ceil(COLUMNS);
        let steps = size / 4;
        head.queries.resize(tokens * size, 0);
        head.query_scales.resize(tokens, 0.0);
        head.keys.resize(panels * steps, Step::ZERO);
        head.key_scales.resize(panels * COLUMNS, 0.0);
        head.key_sums.resize(panels * COLUMNS, 0);
        head.values.resize(tokens.div_ceil(2) * size, 0);
        head.weights.resize(TILE * panels * COLUMNS, 0);
        head.scores.resize(TILE * panels * COLUMNS, 0.0);

        // The softmax is made of powers of 2.
        let scale = self.scale * std::f32::consts::LOG2_E;
        let place = |part: usize| part * self.width + self.head * size;
        let mut most_values = [_mm512_set1_ps(f32::MIN_POSITIVE); V];
        for (token, row) in rows.clone().enumerate() {
            let (bytes, query_scale) = signed(vectors::<V>(&row[place(0)..]));
            head.query_scales[token] = query_scale * scale;
            let queries = &mut head.queries[token * size..][..size];
            for (bytes, to) in bytes.into_iter().zip(queries.as_chunks_mut::<LANES>().0) {
                let bytes = _mm512_add_epi32(bytes, _mm512_set1_epi32(MIDDLE));
                store_bytes(to, _mm512_cvtepi32_epi8(bytes));
            }
            let (bytes, key_scale) = signed(vectors::<V>(&row[place(1)..]));
            head.key_scales[token] = key_scale;
            let mut sum = _mm512_setzero_si512();
            let keys = &mut head.keys[token / COLUMNS * steps..][..steps];
            for (bytes, keys) in bytes.into_iter().zip(keys.as_chunks_mut::<4>().0) {
                sum = _mm512_add_epi32(sum, bytes);
                let mut fours = [0; LANES];
                store_bytes(&mut fours, _mm512_cvtepi32_epi8(bytes));
                for (four, key) in fours.as_chunks::<4>().0.iter().zip(keys) {
                    key.0[token % COLUMNS] = i32::from_le_bytes(*four);
                }
            }
            head.key_sums[token] = MIDDLE.wrapping_mul(_mm512_reduce_add_epi32(sum));
            for (value, most) in vectors::<V>(&row[place(2)..]).into_iter().zip(&mut most_values) {
                *most = _mm512_max_ps(*most, _mm512_abs_ps(value));
            }
        }
        // Two tokens' values lie together, for a product takes them in pairs.
        let mut by = [_mm512_setzero_ps(); V];
        for (by, most) in by.iter_mut().zip(most_values) {
            *by = _mm512_div_ps(_mm512_set1_ps(MOST_VALUE), most);
        }
        for (pair, values) in head.values.chunks_exact_mut(size).enumerate() {
            let at = |token: usize| token * self.width * 3 + place(2);
            let first = vectors::<V>(&self.projections[at(pair * 2)..]);
            // An odd token has no other beside it.
            let mut second = [_mm512_setzero_ps(); V];
            if pair * 2 + 1 < tokens {
                second = vectors::<V>(&self.projections[at(pair * 2 + 1)..]);
            }
            for (v, values) in values.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let first = _mm512_cvtps_epi32(_mm512_mul_ps(first[v], by[v]));
                let second = _mm512_cvtps_epi32(_mm512_mul_ps(second[v], by[v]));
                let first = _mm512_and_si512(first, _mm512_set1_epi32(0xffff));
                store_whole(values, _mm512_or_si512(first, _mm512_slli_epi32::<16>(second)));
            }
        }
        let most = most_weight(tokens);
        let mut value_scales = [_mm512_setzero_ps(); V];
        for (scale, most_value) in value_scales.iter_mut().zip(most_values) {
            *scale = _mm512_mul_ps(most_value, _mm512_set1_ps(1.0 / MOST_VALUE));
        }
        for first in (0..tokens).step_by(TILE) {
            let count = (tokens - first).min(TILE);
            let out = &mut out[first * self.width + self.head * size..];
            let queries = Queries { first, tokens, most, value_scales };
            for_rows!(count, attend::<V>, (head, &queries, out, self.width));
        }
    }
}

/// A few queries of a head.
struct Queries<const V: usize> {
    first: usize,
    /// Of the text.
    tokens: usize,
    /// What the greatest weight becomes.
    most: f32,
    value_scales: [__m512; V],
}

/// What `R` queries find, into rows that are `stride` apart.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn attend<const R: usize, const V: usize>(
    head: &mut Head,
    of: &Queries<V>,
    out: &mut [f32],
    stride: usize,
) {
    let size = V * LANES;
    let keys = of.tokens.div_ceil(COLUMNS) * COLUMNS;
    let queries = &head.queries[of.first * size..(of.first + R) * size];
    let nothing = _mm512_set1_ps(f32::NEG_INFINITY);
    let mut most = [nothing; R];
    for (panel, steps) in head.keys.chunks_exact(size / 4).enumerate() {
        let column = panel * COLUMNS;
        let sums = products::<R>(queries, steps);
        let scales = vectors::<VECTORS>(&head.key_scales[column..]);
        let key_sums = whole_vectors::<VECTORS>(&head.key_sums[column..]);
        // What no token is behind is let out.
        let there = u64::MAX >> (column + COLUMNS).saturating_sub(of.tokens);
        for (row, sums) in sums.into_iter().enumerate() {
            let scores = &mut head.scores[row * keys + column..][..COLUMNS];
            for (v, score) in scores.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
                let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[v], key_sums[v]));
                let there = (there >> (v * LANES)) as u16;
                let number = _mm512_mask_mul_ps(nothing, there, sum, scales[v]);
                most[row] = _mm512_max_ps(most[row], number);
                store(score, number);
            }
        }
    }
    let mut by = [0.0; R];
    for (row, by) in by.iter_mut().enumerate() {
        let scores = head.scores[row * keys..][..keys].as_chunks::<LANES>().0;
        let weights = head.weights[row * keys..][..keys].as_chunks_mut::<LANES>().0;
        let scale = head.query_scales[of.first + row];
        // So that the greatest of them is 2 to the power of 0, times `of.most`.
        let least = _mm512_set1_ps(-scale * _mm512_reduce_max_ps(most[row]));
        let (scale, factor) = (_mm512_set1_ps(scale), _mm512_set1_ps(of.most));
        let mut sum = _mm512_setzero_si512();
        for (score, weight) in scores.iter().zip(weights) {
            let power = power_of_two(_mm512_fmadd_ps(load(score), scale, least));
            let whole = _mm512_cvtps_epi32(_mm512_mul_ps(power, factor));
            sum = _mm512_add_epi32(sum, whole);
            store_shorts(weight, _mm512_cvtepi32_epi16(whole));
        }
        *by = 1.0 / _mm512_reduce_add_epi32(sum) as f32;
    }
    let pairs = of.tokens.div_ceil(2);
    let sums = weighed::<R, V>(&head.weights, keys, &head.values[..pairs * size]);
    for (row, sums) in sums.into_iter().enumerate() {
        let out = out[row * stride..][..size].as_chunks_mut::<LANES>().0;
        for (v, out) in out.iter_mut().enumerate() {
            let scale = _mm512_mul_ps(of.value_scales[v], _mm512_set1_ps(by[row]));
            store(out, _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v]), scale));
        }
    }
}

/// The sums of all values, each by its weight: `R` rows of weights, `stride` apart. Values
/// lie in pairs, as their weights do.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn weighed<const R: usize, const V: usize>(
    weights: &[u16],
    stride: usize,
    values: &[i32],
) -> [[__m512i; V]; R] {
    let pairs = values.len() / (V * LANES);
    assert!(weights.len() >= R * stride && stride >= pairs * 2);
    let weights = weights.as_ptr();
    let mut sums = [[_mm512_setzero_si512(); V]; R];
    for (at, values) in values.chunks_exact(V * LANES).enumerate() {
        let values = whole_vectors::<V>(values);
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: there are so many rows, each of more weights than there are values.
            let two = unsafe { weights.add(row * stride + at * 2).cast::<i32>().read_unaligned() };
            let two = _mm512_set1_epi32(two);
            for v in 0..V {
                sums[v] = _mm512_dpwssd_epi32(sums[v], two, values[v]);
            }
        }
    }
    sums
}

/// As whole numbers from -127 to 127, and what one of them stands for.
#[inline]
#[target_feature(enable = "avx512f")]
fn signed<const V: usize>(numbers: [__m512; V]) -> ([__m512i; V], f32) {
    let mut most = _mm512_setzero_ps();
    for number in numbers {
        most = _mm512_max_ps(most, _mm512_abs_ps(number));
    }
    let scale = (_mm512_reduce_max_ps(most) / 127.0).max(f32::MIN_POSITIVE);
    let by = _mm512_set1_ps(1.0 / scale);
    let mut whole = [_mm512_setzero_si512(); V];
    for (number, whole) in numbers.into_iter().zip(&mut whole) {
        *whole = _mm512_cvtps_epi32(_mm512_mul_ps(number, by));
    }
    (whole, scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::{Dice, skipped};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        /// Attention is what it is in plain floats, but for the rounding.
        #[test]
        fn attention_is_near_the_plain_one(
            tokens in 1usize..150,
            wide in any::<bool>(),
            seed in any::<u64>(),
        ) {
            if skipped() {
                return Ok(());
            }
            let (size, heads) = if wide { (64, 1) } else { (32, 2) };
            let width = size * heads;
            let mut dice = Dice(seed);
            let projections = dice.floats(tokens * width * 3, 0.0, 4.0);
            let scale = 1.0 / (size as f32).sqrt();
            let mut out = vec![0.0; tokens * width];
            let mut room = Head::default();
            for head in 0..heads {
                let attention = Attention { projections: &projections, width, head, scale };
                // SAFETY: the processor has what is needed.
                unsafe {
                    if wide {
                        attention.run::<4>(&mut room, &mut out);
                    } else {
                        attention.run::<2>(&mut room, &mut out);
                    }
                }
            }
            let part = |token: usize, part: usize, head: usize| {
                &projections[(token * 3 + part) * width + head * size..][..size]
            };
            for token in 0..tokens {
                for head in 0..heads {
                    let score = |key: usize| {
                        let both = part(token, 0, head).iter().zip(part(key, 1, head));
                        (both.map(|(a, b)| a * b).sum::<f32>() * scale).exp()
                    };
                    let scores: Vec<f32> = (0..tokens).map(score).collect();
                    let all: f32 = scores.iter().sum();
                    for number in 0..size {
                        let value = |key: usize| scores[key] / all * part(key, 2, head)[number];
                        let expected: f32 = (0..tokens).map(value).sum();
                        let got = out[token * width + head * size + number];
                        prop_assert!((got - expected).abs() < 0.03, "{got} for {expected}");
                    }
                }
            }
        }
    }
}
