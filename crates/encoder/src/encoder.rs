//! A loaded model, and how a call's texts are shared out among threads.

use std::{num::NonZeroUsize, thread};

use crate::{
    Norm, Table, Weights, is_supported,
    layout::{Packed, Rows, Step},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the model knows no token {token}")]
pub struct UnknownToken {
    pub token: u32,
}

/// A model that is ready to read texts.
#[derive(Debug)]
pub struct Encoder {
    network: Network,
    /// One a thread.
    rooms: Vec<Room>,
}

#[derive(Debug)]
pub(crate) struct Network {
    pub words: Table<'static>,
    /// With the segment's row in it.
    pub positions: Vec<f32>,
    pub norm: Norm,
    pub layers: Vec<Layer>,
    pub heads: usize,
    pub scale: f32,
}

#[derive(Debug)]
pub(crate) struct Layer {
    /// Queries, keys and values, side by side.
    pub projections: Packed,
    pub output: Packed,
    pub output_norm: Norm,
    pub widen: Packed,
    pub narrow: Packed,
    pub narrow_norm: Norm,
}

/// What one call writes on its way; kept for the next.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// A state a token.
    pub states: Vec<f32>,
    /// The states of texts that went before.
    pub found: Vec<f32>,
    /// What is added to the states.
    pub change: Vec<f32>,
    pub rows: Rows,
    pub projections: Vec<f32>,
    pub inner: Vec<f32>,
    pub inner_rows: Rows,
    pub head: Head,
}

/// One head's numbers of one text.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub queries: Vec<u8>,
    pub query_scales: Vec<f32>,
    pub keys: Vec<Step>,
    pub key_scales: Vec<f32>,
    /// Of the bytes of each key, by what is added to those of queries.
    pub key_sums: Vec<i32>,
    /// In whole numbers, two tokens' together.
    pub values: Vec<i32>,
    /// Of a few queries, for every key.
    pub scores: Vec<f32>,
    /// What they make of the values.
    pub weights: Vec<u16>,
}

/// Texts go through together up to so many tokens: enough that reading the weights does not
/// count, and few enough for the cache.
const TOKENS: usize = 256;

impl Encoder {
    /// Puts the weights in the order in which they are read: some milliseconds, and their
    /// size in memory. `None` where the processor or the model's sizes are others than the
    /// kernels are written for. The texts of a call are shared out among as many `threads`;
    /// one text is one thread's.
    pub fn new(weights: &Weights, threads: NonZeroUsize) -> Option<Self> {
        (is_supported() && weights.fit()).then_some(())?;
        let width = weights.words.width;
        let mut positions: Vec<f32> = weights.positions.numbers().collect();
        if let Some(segments) = &weights.segments {
            for position in positions.chunks_exact_mut(width) {
                let segment = segments.numbers();
                position.iter_mut().zip(segment).for_each(|(sum, number)| *sum += number);
            }
        }
        let layers = weights.layers.iter().map(|layer| Layer {
            projections: Packed::of(&[&layer.query, &layer.key, &layer.value]),
            output: Packed::of(&[&layer.output]),
            output_norm: layer.output_norm.clone(),
            widen: Packed::of(&[&layer.widen]),
            narrow: Packed::of(&[&layer.narrow]),
            narrow_norm: layer.narrow_norm.clone(),
        });
        let words = &weights.words;
        let network = Network {
            layers: layers.collect(),
            words: Table { bytes: words.bytes.to_vec().into(), ..*words },
            positions,
            norm: weights.norm.clone(),
            heads: weights.heads,
            scale: weights.scale,
        };
        let rooms = (0..threads.get()).map(|_| Room::default()).collect();
        Some(Self { network, rooms })
    }

    /// Numbers a state.
    pub fn width(&self) -> usize {
        self.network.width()
    }

    /// Tokens that a text may have.
    pub fn max_tokens(&self) -> usize {
        self.network.positions.len() / self.width()
    }

    /// Calls `each` for every text, in their order, with the states of its tokens: `width`
    /// numbers a token, one after the other. What is past [`Encoder::max_tokens`] of a text
    /// is not read.
    ///
    /// # Errors
    /// A token that is not in the vocabulary; `each` has not been called then.
    pub fn encode(
        &mut self,
        texts: &[&[u32]],
        mut each: impl FnMut(&[f32]),
    ) -> Result<(), UnknownToken> {
        let (width, most) = (self.width(), self.max_tokens());
        let known = self.network.words.bytes.len() / width;
        let unknown = |token: &&u32| **token as usize >= known;
        if let Some(&token) = texts.iter().copied().flatten().find(unknown) {
            return Err(UnknownToken { token });
        }
        let texts: Vec<&[u32]> = texts.iter().map(|text| &text[..text.len().min(most)]).collect();
        let (network, shares) = (&self.network, shares(&texts, self.rooms.len()));
        let mut works = shares.iter().zip(&mut self.rooms);
        thread::scope(|scope| {
            let here = works.next();
            for (texts, room) in works {
                scope.spawn(|| network.run_all(texts, room));
            }
            here.into_iter().for_each(|(texts, room)| network.run_all(texts, room));
        });
        for (texts, room) in shares.iter().zip(&self.rooms) {
            let mut states = room.found.as_slice();
            for text in *texts {
                let (its, rest) = states.split_at(text.len() * width);
                each(its);
                states = rest;
            }
        }
        Ok(())
    }
}

/// Neighbours for each of so many threads, of about as many tokens each.
fn shares<'a, 'b>(texts: &'b [&'a [u32]], threads: usize) -> Vec<&'b [&'a [u32]]> {
    let share = texts.iter().map(|text| text.len()).sum::<usize>().div_ceil(threads);
    let (mut shares, mut rest) = (Vec::new(), texts);
    while shares.len() + 1 < threads {
        let mut tokens = 0;
        let is_short = |text: &&&[u32]| {
            tokens += text.len();
            tokens <= share
        };
        let short = rest.iter().take_while(is_short).count();
        // What lies on the edge goes here if most of it does.
        let more = rest.get(short).is_some_and(|text| tokens < share + text.len().div_ceil(2));
        let (here, after) = rest.split_at(short + usize::from(more));
        shares.push(here);
        rest = after;
    }
    shares.push(rest);
    shares
}

impl Network {
    pub fn width(&self) -> usize {
        self.norm.weight.len()
    }

    /// The states of all these texts, into `room.found`.
    fn run_all(&self, texts: &[&[u32]], room: &mut Room) {
        room.found.clear();
        let mut rest = texts;
        while !rest.is_empty() {
            let mut tokens = 0;
            let fits = |text: &&&[u32]| {
                tokens += text.len();
                tokens <= TOKENS
            };
            let (group, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            self.run(group, room);
            room.found.extend_from_slice(&room.states);
            rest = after;
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn run(&self, texts: &[&[u32]], room: &mut Room) {
        // SAFETY: there is no encoder where the processor lacks what this is compiled for.
        unsafe { crate::wide::run(self, texts, room) }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn run(&self, _: &[&[u32]], _: &mut Room) {
        unreachable!("there is no encoder for this processor")
    }
}
