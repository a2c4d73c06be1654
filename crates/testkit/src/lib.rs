//! What the tests of several crates share: folders of files, a tiny model that
//! really runs, and a worker program that misbehaves on demand. Only tests
//! depend on it, so it panics with a clear word instead of returning errors. It
//! knows nothing of the crates that it helps to test but the vocabulary and the
//! protocol.

mod dice;
pub mod faults;
mod programs;
mod tiny_model;
mod tree;
mod vectors;
mod words;

pub use dice::Dice;
pub use programs::{faulty_worker_program, runtime_library, worker_program};
pub use tiny_model::{TinyModel, tiny_model};
pub use tree::Tree;
pub use vectors::{cosine, vector_of};
pub use words::{WORDS, prose};
