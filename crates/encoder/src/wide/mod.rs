//! The kernels, for AVX-512 with VNNI. Sixteen numbers, or sixty-four bytes, at once.
//!
//! Products of bytes are made a tile at a time: up to [`TILE`] rows by [`COLUMNS`] columns,
//! whose sums stay in registers until all inputs are through. In attention, queries and keys
//! are multiplied as bytes and the values by their weights in sixteen bits.

/// Calls a kernel for one to six rows by the number of rows.
macro_rules! for_rows {
    ($rows:expr, $kernel:ident $(::<$width:ident>)?, $arguments:tt) => {
        match $rows {
            1 => $kernel::<1 $(, $width)?> $arguments,
            2 => $kernel::<2 $(, $width)?> $arguments,
            3 => $kernel::<3 $(, $width)?> $arguments,
            4 => $kernel::<4 $(, $width)?> $arguments,
            5 => $kernel::<5 $(, $width)?> $arguments,
            _ => $kernel::<TILE $(, $width)?> $arguments,
        }
    };
}

mod attention;
mod lanes;

use std::arch::x86_64::*;

use attention::Attention;
use lanes::*;

use crate::{
    Norm, Table,
    encoder::{Network, Room},
    layout::{COLUMNS, Packed, Rows, Step},
};

/// Registers of a tile's row.
const VECTORS: usize = COLUMNS / LANES;

/// Rows of a tile: with four registers each, 24 of the 32 hold sums.
const TILE: usize = 6;

/// Tokens that go through the inner layer together: its numbers, four times as many as a
/// state's, stay in the cache until they are bytes.
const INNER_ROWS: usize = 8 * TILE;

/// Steps that are asked for ahead: weights come from far away, once a call.
const AHEAD: usize = 12;

/// The states of these texts, one after the other, into `room.states`. Every token is in the
/// vocabulary, no text has more tokens than there are positions.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub fn run(network: &Network, texts: &[&[u32]], room: &mut Room) {
    let Network { words, positions, norm, layers, heads, scale } = network;
    let width = network.width();
    let tokens = texts.iter().map(|text| text.len()).sum::<usize>();
    room.states.resize(tokens * width, 0.0);
    room.change.resize(tokens * width, 0.0);
    room.projections.resize(tokens * width * 3, 0.0);
    room.rows.resize(tokens, width);

    let places = texts.iter().flat_map(|text| text.iter().zip(positions.chunks_exact(width)));
    for ((&token, position), state) in places.zip(room.states.chunks_exact_mut(width)) {
        look_up(words, token as usize, position, state);
    }
    for state in room.states.chunks_exact_mut(width) {
        normalise(state, norm);
    }
    for layer in layers {
        to_bytes(&room.states, width, &mut room.rows);
        multiply::<false>(&room.rows, 0..tokens, &layer.projections, &mut room.projections);
        let mut first = 0;
        for text in texts {
            let last = first + text.len();
            let projections = &room.projections[first * width * 3..last * width * 3];
            let change = &mut room.change[first * width..last * width];
            for head in 0..*heads {
                let attention = Attention { projections, width, head, scale: *scale };
                match width / *heads / LANES {
                    2 => attention.run::<2>(&mut room.head, change),
                    _ => attention.run::<4>(&mut room.head, change),
                }
            }
            first = last;
        }
        to_bytes(&room.change, width, &mut room.rows);
        multiply::<false>(&room.rows, 0..tokens, &layer.output, &mut room.change);
        add(&mut room.states, &room.change, width, &layer.output_norm);

        let inner = layer.widen.outputs();
        room.inner.resize(INNER_ROWS * inner, 0.0);
        room.inner_rows.resize(INNER_ROWS, inner);
        to_bytes(&room.states, width, &mut room.rows);
        for first in (0..tokens).step_by(INNER_ROWS) {
            let rows = first..(first + INNER_ROWS).min(tokens);
            multiply::<true>(&room.rows, rows.clone(), &layer.widen, &mut room.inner);
            let numbers = &room.inner[..rows.len() * inner];
            to_bytes(numbers, inner, &mut room.inner_rows);
            let change = &mut room.change[first * width..];
            multiply::<false>(&room.inner_rows, 0..rows.len(), &layer.narrow, change);
        }
        add(&mut room.states, &room.change, width, &layer.narrow_norm);
    }
}

/// A token's row, and its position's.
#[target_feature(enable = "avx512f,avx512bw")]
fn look_up(words: &Table<'_>, token: usize, position: &[f32], state: &mut [f32]) {
    let width = state.len();
    let bytes = &words.bytes[token * width..][..width];
    for ((state, byte), position) in state.iter_mut().zip(bytes).zip(position) {
        *state = words.number(*byte) + position;
    }
}

/// `states` and `change`, added and normalised.
#[target_feature(enable = "avx512f,avx512bw")]
fn add(states: &mut [f32], change: &[f32], width: usize, norm: &Norm) {
    for (state, change) in states.chunks_exact_mut(width).zip(change.chunks_exact(width)) {
        let (state, _) = state.as_chunks_mut::<LANES>();
        for (state, change) in state.iter_mut().zip(change.as_chunks::<LANES>().0) {
            store(state, _mm512_add_ps(load(state), load(change)));
        }
        normalise(state.as_flattened_mut(), norm);
    }
}

#[target_feature(enable = "avx512f")]
fn normalise(state: &mut [f32], norm: &Norm) {
    let share = 1.0 / state.len() as f32;
    let (numbers, _) = state.as_chunks_mut::<LANES>();
    let mut total = _mm512_setzero_ps();
    for number in numbers.iter() {
        total = _mm512_add_ps(total, load(number));
    }
    let mean = _mm512_set1_ps(_mm512_reduce_add_ps(total) * share);
    let mut total = _mm512_setzero_ps();
    for number in numbers.iter() {
        let apart = _mm512_sub_ps(load(number), mean);
        total = _mm512_fmadd_ps(apart, apart, total);
    }
    let variance = _mm512_reduce_add_ps(total) * share;
    let by = _mm512_set1_ps(1.0 / (variance + norm.epsilon).sqrt());
    let weights = norm.weight.as_chunks::<LANES>().0.iter().zip(norm.bias.as_chunks::<LANES>().0);
    for (number, (weight, bias)) in numbers.iter_mut().zip(weights) {
        let apart = _mm512_mul_ps(_mm512_sub_ps(load(number), mean), by);
        store(number, _mm512_fmadd_ps(apart, load(weight), load(bias)));
    }
}

/// Each row of `numbers` as bytes, over the range from its least to its greatest number.
#[target_feature(enable = "avx512f,avx512bw")]
fn to_bytes(numbers: &[f32], width: usize, rows: &mut Rows) {
    let into = rows.bytes.chunks_exact_mut(width);
    for (at, (row, bytes)) in numbers.chunks_exact(width).zip(into).enumerate() {
        let (row, _) = row.as_chunks::<LANES>();
        // Zero is among them, so that its byte is exact.
        let (mut least, mut most) = (_mm512_setzero_ps(), _mm512_setzero_ps());
        // Zero, unless one of them is no number or has no end: then nothing here is.
        let mut nothing = _mm512_setzero_ps();
        for number in row {
            let number = load(number);
            least = _mm512_min_ps(least, number);
            most = _mm512_max_ps(most, number);
            nothing = _mm512_fmadd_ps(number, _mm512_setzero_ps(), nothing);
        }
        let (least, most) = (_mm512_reduce_min_ps(least), _mm512_reduce_max_ps(most));
        let scale = ((most - least) / 255.0).max(f32::MIN_POSITIVE);
        let scale = scale + _mm512_reduce_add_ps(nothing);
        let zero = (-least / scale).round_ties_even();
        rows.scales[at] = scale;
        rows.least[at] = -zero * scale;
        let (by, zero) = (_mm512_set1_ps(1.0 / scale), _mm512_set1_ps(zero));
        for (number, bytes) in row.iter().zip(bytes.as_chunks_mut::<LANES>().0) {
            let byte = _mm512_cvtps_epi32(_mm512_fmadd_ps(load(number), by, zero));
            let byte = _mm512_max_epi32(byte, _mm512_setzero_si512());
            store_bytes(bytes, _mm512_cvtusepi32_epi8(byte));
        }
    }
}

/// The products of some `rows` and all that is packed, with its bias, and with Gelu behind
/// it or not: a row of outputs a row, from the beginning of `out`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply<const GELU: bool>(
    rows: &Rows,
    range: std::ops::Range<usize>,
    packed: &Packed,
    out: &mut [f32],
) {
    let (inputs, outputs) = (packed.inputs, packed.outputs());
    let steps = inputs / 4;
    for (panel, steps) in packed.steps.chunks_exact(steps).enumerate() {
        let columns = panel * COLUMNS..(panel + 1) * COLUMNS;
        let panel = Panel {
            steps,
            scales: vectors(&packed.scales[columns.clone()]),
            bias: vectors(&packed.bias[columns.clone()]),
            sums: vectors(&packed.sums[columns.clone()]),
        };
        for first in range.clone().step_by(TILE) {
            let count = (range.end - first).min(TILE);
            let tile = Tile {
                bytes: &rows.bytes[first * inputs..(first + count) * inputs],
                scales: &rows.scales[first..first + count],
                least: &rows.least[first..first + count],
            };
            let out = &mut out[(first - range.start) * outputs + columns.start..];
            for_rows!(count, multiply_tile::<GELU>, (&tile, &panel, out, outputs));
        }
    }
}

struct Panel<'a> {
    steps: &'a [Step],
    scales: [__m512; VECTORS],
    bias: [__m512; VECTORS],
    sums: [__m512; VECTORS],
}

struct Tile<'a> {
    bytes: &'a [u8],
    scales: &'a [f32],
    least: &'a [f32],
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn multiply_tile<const R: usize, const GELU: bool>(
    tile: &Tile,
    panel: &Panel,
    out: &mut [f32],
    outputs: usize,
) {
    let sums = products::<R>(tile.bytes, panel.steps);
    for (row, sums) in sums.into_iter().enumerate() {
        let scale = _mm512_set1_ps(tile.scales[row]);
        let least = _mm512_set1_ps(tile.least[row]);
        let (out, _) = out[row * outputs..][..COLUMNS].as_chunks_mut::<LANES>();
        for v in 0..VECTORS {
            // A byte stands for that many scales above the least number of its row.
            let from = _mm512_fmadd_ps(least, panel.sums[v], panel.bias[v]);
            let scale = _mm512_mul_ps(scale, panel.scales[v]);
            let number = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[v]), scale, from);
            store(&mut out[v], if GELU { gelu(number) } else { number });
        }
    }
}

/// `R` rows of unsigned bytes by a panel of signed ones.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn products<const R: usize>(rows: &[u8], steps: &[Step]) -> [[__m512i; VECTORS]; R] {
    let stride = steps.len() * 4;
    assert!(rows.len() >= R * stride);
    let rows = rows.as_ptr();
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; R];
    for (at, step) in steps.iter().enumerate() {
        let ahead = steps.as_ptr().wrapping_add(at + AHEAD).cast::<i8>();
        for v in 0..VECTORS {
            _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(v * size_of::<__m512i>()));
        }
        let mut columns = [_mm512_setzero_si512(); VECTORS];
        for (v, column) in columns.iter_mut().enumerate() {
            // SAFETY: a step has as many registers, and is aligned to them.
            *column = unsafe { _mm512_load_si512(step.0.as_ptr().cast::<__m512i>().add(v)) };
        }
        for (row, sums) in sums.iter_mut().enumerate() {
            // SAFETY: there are so many rows of so many bytes.
            let four = unsafe { rows.add(row * stride + at * 4).cast::<i32>().read_unaligned() };
            let four = _mm512_set1_epi32(four);
            for v in 0..VECTORS {
                sums[v] = _mm512_dpbusd_epi32(sums[v], four, columns[v]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::{Dice, skipped};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        /// Rows of bytes stand for the numbers within half a step, and their products are
        /// those of what they stand for.
        #[test]
        fn products_are_those_of_the_bytes(
            rows in 1usize..15,
            inputs in 1usize..4,
            outputs in 1usize..4,
            seed in any::<u64>(),
        ) {
            if skipped() {
                return Ok(());
            }
            let (inputs, outputs) = (inputs * 64, outputs * 64);
            let mut dice = Dice(seed);
            let numbers = dice.floats(rows * inputs, 1.0, 6.0);
            let mut linear = dice.linear(inputs, outputs);
            linear.scales = dice.floats(outputs, 0.26, 0.5);
            let packed = Packed::of(&[&linear]);
            let mut bytes = Rows::default();
            bytes.resize(rows, inputs);
            let mut out = vec![0.0; rows * outputs];
            // SAFETY: the processor has what is needed.
            unsafe {
                to_bytes(&numbers, inputs, &mut bytes);
                multiply::<false>(&bytes, 0..rows, &packed, &mut out);
            }
            for row in 0..rows {
                let stands_for = |input: usize| {
                    let byte = f32::from(bytes.bytes[row * inputs + input]);
                    bytes.least[row] + byte * bytes.scales[row]
                };
                for input in 0..inputs {
                    let apart = (stands_for(input) - numbers[row * inputs + input]).abs();
                    prop_assert!(apart <= bytes.scales[row] * 0.51, "{apart}");
                }
                for output in 0..outputs {
                    let sum: f64 = (0..inputs)
                        .map(|input| {
                            let weight = f64::from(linear.weights[input * outputs + output]);
                            f64::from(stands_for(input)) * weight
                        })
                        .sum();
                    let scale = f64::from(linear.scales[output]);
                    let expected = sum * scale + f64::from(linear.bias[output]);
                    let got = f64::from(out[row * outputs + output]);
                    prop_assert!((got - expected).abs() < 0.02 + expected.abs() * 1e-4);
                }
            }
        }
    }
}
