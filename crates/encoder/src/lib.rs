//! BERT in eight bits: from token ids to a state a token.
//!
//! ONNX Runtime runs any model, node by node. Most models that embed texts are one and the
//! same network, and with all of it in view three things need not be done: texts are not
//! padded to each other's length, numbers are turned into bytes while they are still in the
//! processor's cache, and no tensor of all pairs of tokens is ever written out.
//!
//! Weights are bytes with a scale an output; activations become bytes with a scale and a
//! zero point a token, so a text's numbers do not depend on what shares its call. Queries
//! and keys are multiplied as bytes, too, values and their weights in sixteen bits; the
//! softmax and the norms stay in floats.
//!
//! It knows no files: whoever reads them says what is in them ([`Weights`]). It needs a
//! processor with AVX-512 VNNI; [`Encoder::new`] says `None` elsewhere.

mod encoder;
mod layout;
#[cfg(test)]
mod tests;
mod weights;
#[cfg(target_arch = "x86_64")]
mod wide;

pub use encoder::{Encoder, UnknownToken};
pub use weights::{Layer, Linear, Norm, Table, Weights};

/// Counts up with every change that makes this faster or slower, or its numbers others: what
/// was measured with another one says nothing of this one.
pub const REVISION: u32 = 1;

/// Whether this processor has what is needed here.
pub fn is_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vnni")
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}
