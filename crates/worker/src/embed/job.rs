//! One lease of texts, worked off call by call, so that something urgent can go
//! between two calls.

use std::vec;

use rummage_protocol::{EmbedRequest, Embedded, LeaseId};

use super::Embedder;
use crate::WorkerError;

/// How far a lease is.
#[derive(Debug)]
pub enum Step {
    /// Another call is to come.
    More(Box<Job>),
    Done(Embedded),
}

#[derive(Debug)]
pub struct Job {
    lease: LeaseId,
    texts: Vec<Vec<u32>>,
    calls: vec::IntoIter<Vec<usize>>,
    dims: usize,
    /// In the order of the texts; zeros where no call has been yet.
    values: Vec<f32>,
}

impl Job {
    /// Texts longer than the model reads are cut.
    pub fn new(request: EmbedRequest, embedder: &Embedder) -> Self {
        let mut texts = request.token_ids;
        texts.iter_mut().for_each(|text| text.truncate(embedder.max_tokens()));
        let lengths: Vec<usize> = texts.iter().map(Vec::len).collect();
        let tokens_per_call = request.tokens_per_call as usize;
        let calls = embedder.plan(&lengths, tokens_per_call).into_iter();
        let dims = embedder.dims();
        Self { lease: request.lease, calls, dims, values: vec![0.0; texts.len() * dims], texts }
    }

    /// Makes one model call, or none when all are made.
    pub fn step(mut self: Box<Self>, embedder: &mut Embedder) -> Result<Step, WorkerError> {
        if let Some(call) = self.calls.next() {
            let texts: Vec<&[u32]> = call.iter().map(|&at| self.texts[at].as_slice()).collect();
            let vectors = embedder.call(&texts).map_err(|error| match error {
                WorkerError::NoDirection { text, tokens } => {
                    WorkerError::NoDirection { text: call[text], tokens }
                }
                other => other,
            })?;
            for (&at, vector) in call.iter().zip(vectors.chunks_exact(self.dims)) {
                self.values[at * self.dims..][..self.dims].copy_from_slice(vector);
            }
        }
        if self.calls.len() > 0 {
            return Ok(Step::More(self));
        }
        Ok(Step::Done(Embedded { lease: self.lease, dims: self.dims as u32, values: self.values }))
    }
}
