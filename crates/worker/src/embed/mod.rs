//! Token ids to unit vectors: the model's session, and leases worked off one
//! model call at a time. It knows no text and no tokenizer.

mod calls;
mod graph;
mod job;
mod session;
mod vectors;

pub use graph::without_padding;
pub use job::{Job, Step};
pub use session::Embedder;
