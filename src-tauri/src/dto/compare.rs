//! Models side by side, and how far comparing them is.

use rummage_engine::{CompareStage, Mode, ModeScores};
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    marks: Marks,
    /// Questions that have marks.
    questions: usize,
    passages: u64,
    models: Vec<ComparedModel>,
}

/// Results that a person opened, and results marked good.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Marks {
    opened: u64,
    good: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComparedModel {
    id: String,
    name: String,
    is_active: bool,
    model_bytes: u64,
    /// Of one passage.
    vector_bytes: u64,
    figures: Option<Figures>,
    /// Why there are none.
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    passages_per_second: f64,
    question_ms: f64,
    memory_bytes: u64,
    /// Passages whose vectors it does not have.
    lacking: u64,
    /// nDCG@10 as the window asks; `None` where answers were not judged.
    quality: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CompareStep {
    done: usize,
    most: usize,
    model: String,
    /// preparing, speed or quality
    stage: &'static str,
}

impl From<rummage_engine::MarkCounts> for Marks {
    fn from(marks: rummage_engine::MarkCounts) -> Self {
        Self { opened: marks.opened, good: marks.good }
    }
}

impl From<rummage_engine::Comparison> for Comparison {
    fn from(comparison: rummage_engine::Comparison) -> Self {
        Self {
            marks: comparison.marks.into(),
            questions: comparison.questions,
            passages: comparison.passages,
            models: comparison.models.into_iter().map(ComparedModel::from).collect(),
        }
    }
}

impl From<rummage_engine::ComparedModel> for ComparedModel {
    fn from(model: rummage_engine::ComparedModel) -> Self {
        let (figures, reason) = match model.figures {
            Ok(figures) => (Some(Figures::from(figures)), None),
            Err(reason) => (None, Some(reason)),
        };
        Self {
            id: model.id,
            name: model.name,
            is_active: model.is_active,
            model_bytes: model.model_bytes,
            vector_bytes: model.vector_bytes,
            figures,
            reason,
        }
    }
}

impl From<rummage_engine::Figures> for Figures {
    fn from(figures: rummage_engine::Figures) -> Self {
        let as_asked = |one: &&ModeScores| one.mode == Mode::default();
        Self {
            passages_per_second: figures.passages_per_second,
            question_ms: figures.question_ms,
            memory_bytes: figures.memory_bytes,
            lacking: figures.lacking,
            quality: figures.modes.iter().find(as_asked).map(|one| one.scores.ndcg),
        }
    }
}

impl From<rummage_engine::CompareStep> for CompareStep {
    fn from(step: rummage_engine::CompareStep) -> Self {
        let stage = match step.stage {
            CompareStage::Indexing | CompareStage::Preparing { .. } => "preparing",
            CompareStage::Speed => "speed",
            CompareStage::Quality => "quality",
        };
        Self { done: step.done, most: step.most, model: step.model, stage }
    }
}
