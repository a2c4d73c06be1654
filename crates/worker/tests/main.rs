//! The real program, with a tiny model and the real ONNX Runtime: what it says,
//! what it refuses and how it ends. Each test starts processes of its own.

mod ends;
mod speaks;
mod worker;
