//! Why a worker cannot start, or cannot do one lease. The words reach people:
//! each names the path and, where there is one, the mend.

use std::path::PathBuf;

use rummage_models::ModelError;

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(
        "ONNX Runtime could not be loaded from {}: {source}. In a checkout run `npm run setup`; \
         otherwise install Rummage again", path.display()
    )]
    Library { path: PathBuf, source: ort::LoadDynamicError },
    #[error("ONNX Runtime, loaded from {}, does not start: {source}", path.display())]
    Runtime { path: PathBuf, source: ort::Error },
    #[error(
        "{} is no model that ONNX Runtime can run: {source}. Import the model again",
        path.display()
    )]
    Graph { path: PathBuf, source: ort::Error },
    #[error("{} wants the input {name}, which no text gives", path.display())]
    Input { path: PathBuf, name: String },
    #[error("{} gives no vectors of {dims} numbers a token, as its model.json says", path.display())]
    Output { path: PathBuf, dims: u32 },
    #[error("this worker has not loaded the model {model}")]
    NotLoaded { model: String },
    #[error("a model call failed: {0}")]
    Call(#[source] ort::Error),
    #[error(transparent)]
    UnknownToken(#[from] rummage_encoder::UnknownToken),
    #[error("a model call gave numbers of the shape {shape:?}")]
    Shape { shape: Vec<i64> },
    /// Every number is zero, or one is none.
    #[error("text {text} of the lease has no vector: its {tokens} tokens give no direction")]
    NoDirection { text: usize, tokens: usize },
}

impl WorkerError {
    /// The words of what lies beneath: the mends above are those of our own library.
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Library { source, .. } => source.to_string(),
            Self::Runtime { source, .. } | Self::Graph { source, .. } => plain(&source.to_string()),
            other => other.to_string(),
        }
    }
}

/// ONNX Runtime's words without the place in its source and the code that it puts first:
/// `FILE:LINE FUNCTION [ONNXRuntimeError] : 1 : FAIL : WORDS`.
fn plain(text: &str) -> String {
    let coded = text.split_once("[ONNXRuntimeError] : ").map(|(_, coded)| coded);
    let words = coded.and_then(|coded| coded.splitn(3, " : ").nth(2)).unwrap_or(text);
    words.lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn the_runtimes_words_are_made_plain() {
        let text = "/src/a.cc:1988 Provider& Get() [ONNXRuntimeError] : 1 : FAIL : Failed to \
            load library /x.so with error : none\n\nmore";
        assert_eq!(plain(text), "Failed to load library /x.so with error : none");
        assert_eq!(plain("no such thing"), "no such thing");
    }
}
