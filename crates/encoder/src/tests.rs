//! The network as a whole, beside the same network in plain floats.

use std::num::NonZeroUsize;

use crate::{Encoder, Layer, Linear, Norm, Table, Weights, is_supported};

/// Numbers that look random, from -0.5 to 0.5.
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 40) as f32 / (1 << 24) as f32 - 0.5
    }

    pub fn floats(&mut self, count: usize, around: f32, by: f32) -> Vec<f32> {
        (0..count).map(|_| around + by * self.roll()).collect()
    }

    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Linear<'static> {
        let weights = (0..inputs * outputs).map(|_| (self.roll() * 254.0) as i8);
        let weights = weights.collect::<Vec<_>>().into();
        // So that an output is about as large as an input.
        let scale = 0.02 / (inputs as f32).sqrt();
        let (scales, bias) = (self.floats(outputs, scale, scale), self.floats(outputs, 0.0, 0.4));
        Linear { weights, scales, bias }
    }

    fn norm(&mut self, width: usize) -> Norm {
        let (weight, bias) = (self.floats(width, 1.0, 0.5), self.floats(width, 0.0, 0.5));
        Norm { weight, bias, epsilon: 0.1 }
    }

    fn table(&mut self, rows: usize, width: usize) -> Table<'static> {
        let bytes = (0..rows * width).map(|_| ((self.roll() + 0.5) * 255.0) as u8);
        let bytes = bytes.collect::<Vec<_>>().into();
        Table { bytes, width, zero: 120, scale: 0.01 }
    }

    fn weights(&mut self, width: usize, heads: usize) -> Weights<'static> {
        let (words, positions) = (self.table(WORDS, width), self.table(POSITIONS, width));
        let layer = |dice: &mut Self| Layer {
            query: dice.linear(width, width),
            key: dice.linear(width, width),
            value: dice.linear(width, width),
            output: dice.linear(width, width),
            output_norm: dice.norm(width),
            widen: dice.linear(width, width * 3),
            narrow: dice.linear(width * 3, width),
            narrow_norm: dice.norm(width),
        };
        Weights {
            words,
            positions,
            segments: Some(self.table(2, width)),
            norm: self.norm(width),
            layers: (0..2).map(|_| layer(self)).collect(),
            heads,
            scale: 0.2,
        }
    }

    fn text(&mut self, tokens: usize) -> Vec<u32> {
        (0..tokens).map(|_| ((self.roll() + 0.5) * WORDS as f32) as u32).collect()
    }
}

const WORDS: usize = 90;
const POSITIONS: usize = 300;

/// In floats, word for word what the network is.
fn plain(weights: &Weights, text: &[u32]) -> Vec<Vec<f32>> {
    let row = |table: &Table, at: usize| -> Vec<f32> {
        let bytes = &table.bytes[at * table.width..][..table.width];
        let number = |&byte: &u8| (f32::from(byte) - f32::from(table.zero)) * table.scale;
        bytes.iter().map(number).collect()
    };
    let add = |one: &[f32], other: &[f32]| -> Vec<f32> {
        one.iter().zip(other).map(|(a, b)| a + b).collect()
    };
    let linear = |linear: &Linear, from: &[f32]| -> Vec<f32> {
        let outputs = linear.scales.len();
        let of = |output: usize| {
            let weight = |(input, number): (usize, &f32)| {
                number * f32::from(linear.weights[input * outputs + output])
            };
            let sum: f32 = from.iter().enumerate().map(weight).sum();
            sum * linear.scales[output] + linear.bias[output]
        };
        (0..outputs).map(of).collect()
    };
    let norm = |norm: &Norm, state: &[f32]| -> Vec<f32> {
        let mean = state.iter().sum::<f32>() / state.len() as f32;
        let variance = state.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / state.len() as f32;
        let by = 1.0 / (variance + norm.epsilon).sqrt();
        let places = state.iter().zip(&norm.weight).zip(&norm.bias);
        places.map(|((x, weight), bias)| (x - mean) * by * weight + bias).collect()
    };
    let gelu = |x: f32| {
        let tanh = (0.797_884_6 * (x + 0.044_715 * x * x * x)).tanh();
        0.5 * x * (1.0 + tanh)
    };
    let segment = row(weights.segments.as_ref().unwrap(), 0);
    let place = |(place, token): (usize, &u32)| {
        let word = row(&weights.words, *token as usize);
        norm(&weights.norm, &add(&add(&word, &row(&weights.positions, place)), &segment))
    };
    let mut states: Vec<Vec<f32>> = text.iter().enumerate().map(place).collect();
    for layer in &weights.layers {
        let all = |of: &Linear| states.iter().map(|state| linear(of, state)).collect::<Vec<_>>();
        let (queries, keys, values) = (all(&layer.query), all(&layer.key), all(&layer.value));
        let size = weights.words.width / weights.heads;
        let attention = |query: &Vec<f32>| -> Vec<f32> {
            let head = |head: usize| {
                let part = head * size..(head + 1) * size;
                let score = |key: &Vec<f32>| {
                    let both = query[part.clone()].iter().zip(&key[part.clone()]);
                    (both.map(|(a, b)| a * b).sum::<f32>() * weights.scale).exp()
                };
                let scores: Vec<f32> = keys.iter().map(score).collect();
                let sum: f32 = scores.iter().sum();
                let number = |number: usize| -> f32 {
                    let each = scores.iter().zip(&values);
                    each.map(|(score, value)| score / sum * value[part.start + number]).sum()
                };
                (0..size).map(number).collect::<Vec<f32>>()
            };
            (0..weights.heads).flat_map(head).collect()
        };
        let found: Vec<_> = queries.iter().map(attention).collect();
        for (state, found) in states.iter_mut().zip(found) {
            *state = norm(&layer.output_norm, &add(state, &linear(&layer.output, &found)));
            let wide: Vec<f32> = linear(&layer.widen, state).into_iter().map(gelu).collect();
            *state = norm(&layer.narrow_norm, &add(state, &linear(&layer.narrow, &wide)));
        }
    }
    states
}

fn encode(encoder: &mut Encoder, texts: &[Vec<u32>]) -> Vec<Vec<f32>> {
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let mut found = Vec::new();
    encoder.encode(&texts, |states| found.push(states.to_vec())).unwrap();
    found
}

fn encoder(weights: &Weights, threads: usize) -> Encoder {
    Encoder::new(weights, NonZeroUsize::new(threads).unwrap()).expect("sizes that fit")
}

pub fn skipped() -> bool {
    if !is_supported() {
        eprintln!("skipped: the encoder is not for this processor");
    }
    !is_supported()
}

#[test]
fn states_are_those_of_the_plain_network() {
    if skipped() {
        return;
    }
    for (seed, (width, heads)) in [(64, 1), (64, 2), (128, 2), (192, 6)].into_iter().enumerate() {
        let mut dice = Dice(seed as u64);
        let weights = dice.weights(width, heads);
        let mut encoder = encoder(&weights, 1);
        assert_eq!((encoder.width(), encoder.max_tokens()), (width, POSITIONS));
        // A long one first: what it leaves must not be seen by the next.
        for tokens in [137, 1, 5, 49, 64, 65] {
            let text = dice.text(tokens);
            let [states] = encode(&mut encoder, &[text.clone()]).try_into().unwrap();
            for (got, expected) in states.chunks_exact(width).zip(plain(&weights, &text)) {
                let product: f32 = got.iter().zip(&expected).map(|(a, b)| a * b).sum();
                let length = |state: &[f32]| state.iter().map(|x| x * x).sum::<f32>().sqrt();
                let cosine = product / length(got) / length(&expected);
                assert!(cosine > 0.998, "{cosine}: {width} wide, {heads} heads, {tokens} tokens");
                let ratio = length(got) / length(&expected);
                assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
            }
        }
    }
}

#[test]
fn neither_neighbours_nor_threads_change_a_number() {
    if skipped() {
        return;
    }
    let mut dice = Dice(7);
    let weights = dice.weights(128, 2);
    let lengths = [40, 0, 300, 1, 7, 120, 130, 3, 255, 256, 9, 9, 9];
    let texts: Vec<_> = lengths.into_iter().map(|tokens| dice.text(tokens)).collect();
    let mut one = encoder(&weights, 1);
    let alone: Vec<_> =
        texts.iter().flat_map(|text| encode(&mut one, std::slice::from_ref(text))).collect();
    for threads in [1, 2, 3, 20] {
        let mut encoder = encoder(&weights, threads);
        for _ in 0..2 {
            assert_eq!(encode(&mut encoder, &texts), alone, "{threads} threads");
        }
    }
    assert_eq!(encode(&mut one, &[]), Vec::<Vec<f32>>::new());
    let longer = dice.text(POSITIONS + 50);
    let cut = longer[..POSITIONS].to_vec();
    assert_eq!(encode(&mut one, &[longer]), encode(&mut one, &[cut]));
}

#[test]
fn unknown_tokens_are_refused() {
    if skipped() {
        return;
    }
    let mut encoder = encoder(&Dice(1).weights(64, 2), 1);
    let refused = encoder.encode(&[&[1], &[3, WORDS as u32]], |_| panic!("nothing is read"));
    assert_eq!(refused.unwrap_err().token, WORDS as u32);
}

#[test]
fn a_number_that_is_none_makes_no_other() {
    if skipped() {
        return;
    }
    let mut weights = Dice(3).weights(64, 2);
    weights.layers[0].value.bias[5] = f32::MAX;
    weights.layers[0].output.scales.fill(f32::MAX);
    let [states] = encode(&mut encoder(&weights, 1), &[vec![1, 2, 3]]).try_into().unwrap();
    assert!(states.iter().any(|number| !number.is_finite()));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    fn check(change: impl FnOnce(&mut Weights)) {
        let mut weights = Dice(2).weights(64, 2);
        assert!(weights.fit());
        change(&mut weights);
        assert!(!weights.fit());
        assert!(Encoder::new(&weights, NonZeroUsize::MIN).is_none());
    }
    check(|weights| weights.heads = 3);
    check(|weights| weights.heads = 4);
    check(|weights| weights.heads = 0);
    check(|weights| weights.scale = f32::INFINITY);
    check(|weights| weights.scale = -1.0);
    check(|weights| weights.norm.epsilon = -0.5);
    check(|weights| weights.norm.bias.truncate(63));
    check(|weights| weights.words.width = 32);
    check(|weights| weights.words.bytes = vec![0; 65].into());
    check(|weights| weights.positions.bytes = vec![0; 64 * 1025].into());
    check(|weights| weights.layers[1].key.bias.truncate(2));
    check(|weights| weights.layers[1].widen.weights = vec![0; 64].into());
    check(|weights| weights.layers[0].narrow.scales.push(1.0));
}
