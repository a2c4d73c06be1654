//! The kernels, for AVX-512 with VNNI. Sixteen numbers, or sixty-four bytes, at once.
//!
//! Products of bytes are made a tile at a time: up to [`TILE`] rows by [`COLUMNS`] columns,
//! whose sums stay in registers until all inputs are through. In attention, queries and keys
//! are multiplied as bytes and the values by their weights in sixteen bits.

use std::arch::x86_64::*;

use crate::{
    Norm, Table,
    encoder::{Head, Network, Room},
    layout::{COLUMNS, Packed, Rows, Step},
};

const LANES: usize = 16;

/// Registers of a tile's row.
const VECTORS: usize = COLUMNS / LANES;

/// Rows of a tile: with four registers each, 24 of the 32 hold sums.
const TILE: usize = 6;

/// Tokens that go through the inner layer together: its numbers, four times as many as a
/// state's, stay in the cache until they are bytes.
const INNER_ROWS: usize = 8 * TILE;

/// Steps that are asked for ahead: weights come from far away, once a call.
const AHEAD: usize = 12;

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

/// One head of one text.
struct Attention<'a> {
    /// A row a token: queries, keys and values of all heads.
    projections: &'a [f32],
    /// Of a state.
    width: usize,
    head: usize,
    scale: f32,
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
    fn run<const V: usize>(&self, head: &mut Head, out: &mut [f32]) {
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

/// 2 to the power of `x`, within 3e-6 of it; 0 for what is far below 0.
#[inline]
#[target_feature(enable = "avx512f")]
fn power_of_two(x: __m512) -> __m512 {
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
fn gelu(x: __m512) -> __m512 {
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
fn load(numbers: &[f32; LANES]) -> __m512 {
    // SAFETY: there are as many.
    unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(numbers: &mut [f32; LANES], vector: __m512) {
    // SAFETY: there is room for as many.
    unsafe { _mm512_storeu_ps(numbers.as_mut_ptr(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_bytes(bytes: &mut [u8; LANES], vector: __m128i) {
    // SAFETY: there is room for as many.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_shorts(shorts: &mut [u16; LANES], vector: __m256i) {
    // SAFETY: there is room for as many.
    unsafe { _mm256_storeu_si256(shorts.as_mut_ptr().cast(), vector) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store_whole(numbers: &mut [i32; LANES], vector: __m512i) {
    // SAFETY: there is room for as many.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), vector) }
}

/// The first of these, `V` registers of them.
#[inline]
#[target_feature(enable = "avx512f")]
fn vectors<const V: usize>(numbers: &[f32]) -> [__m512; V] {
    // A closure would be called, not built in: what calls it is not compiled for this.
    let mut vectors = [_mm512_setzero_ps(); V];
    for (vector, numbers) in vectors.iter_mut().zip(numbers[..V * LANES].as_chunks().0) {
        *vector = load(numbers);
    }
    vectors
}

#[inline]
#[target_feature(enable = "avx512f")]
fn whole_vectors<const V: usize>(numbers: &[i32]) -> [__m512i; V] {
    let mut vectors = [_mm512_setzero_si512(); V];
    for (vector, numbers) in vectors.iter_mut().zip(numbers[..V * LANES].as_chunks::<LANES>().0) {
        // SAFETY: there are as many.
        *vector = unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) };
    }
    vectors
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::{Dice, skipped};

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
