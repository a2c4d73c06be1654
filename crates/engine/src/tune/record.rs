//! What was measured on this machine, kept in the data folder, and what *auto* means
//! by it. It counts on the hardware that it was measured on and on no other.

use std::{fs, io, path::Path};

use rummage_settings::{Resolved, auto};
use serde::{Deserialize, Serialize};

use super::{Setting, Trial};
use crate::{cores, folder::DataFolder, hardware::Hardware, memory_bytes, model::LoadedModel};

/// The outcome of measuring this machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    pub hardware: Hardware,
    /// Seconds since 1970.
    pub measured_at: i64,
    /// How long it took.
    pub seconds: f64,
    /// Passages embedded each turn.
    pub passages: usize,
    pub choice: Setting,
    /// What was measured: the choice, then the others, the fastest first.
    pub table: Vec<Trial>,
}

/// What *auto* means here: the rule's numbers, or what was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Automatic {
    pub rule: Resolved,
    pub tuning: Option<Tuning>,
}

impl Automatic {
    /// For this machine, and the model where there is one. A record that cannot be read
    /// or was made on other hardware does not count.
    pub fn of(folder: &DataFolder, model: Option<&LoadedModel>) -> Self {
        let rule = auto(cores(), memory_bytes(), model.map_or(0, LoadedModel::bytes));
        let kept = || Some((read(&folder.tuning())?, Hardware::of(model?)));
        let tuning = kept()
            .filter(|(tuning, hardware)| tuning.hardware == *hardware)
            .map(|(tuning, _)| tuning);
        Self { rule, tuning }
    }

    pub fn numbers(&self) -> Resolved {
        let Some(tuning) = &self.tuning else { return self.rule };
        let Setting { workers, threads, tokens_per_call } = tuning.choice;
        Resolved {
            // The machine may have less memory than it had.
            pool_size: workers.min(self.rule.pool_size),
            threads_per_worker: threads,
            tokens_per_call,
            ..self.rule
        }
    }
}

fn read(path: &Path) -> Option<Tuning> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Written whole and renamed, so that a reader never sees half.
pub(super) fn keep(tuning: &Tuning, path: &Path) -> io::Result<()> {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, serde_json::to_vec_pretty(tuning)?)?;
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuning(workers: usize) -> Tuning {
        let hardware = Hardware {
            processor: "Z80".into(),
            instructions: Vec::new(),
            cores: 2,
            runtime: "0".into(),
            model: "tiny".into(),
        };
        let choice = Setting { workers, threads: 2, tokens_per_call: 64 };
        let trial = Trial { setting: choice, passages_per_second: 12.5, turns: 3 };
        let table = vec![trial];
        Tuning { hardware, measured_at: 7, seconds: 20.0, passages: 90, choice, table }
    }

    #[test]
    fn what_was_measured_wins_as_far_as_memory_goes() {
        let rule = auto(8, 64 << 30, 23 << 20);
        let numbers = |workers| Automatic { rule, tuning: Some(tuning(workers)) }.numbers();
        let expected =
            Resolved { pool_size: 3, threads_per_worker: 2, tokens_per_call: 64, ..rule };
        assert_eq!(numbers(3), expected);
        assert_eq!(numbers(40).pool_size, 8);
        assert_eq!(Automatic { rule, tuning: None }.numbers(), rule);
    }

    #[test]
    fn a_record_reads_back_and_a_broken_one_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tuning.json");
        keep(&tuning(2), &path).unwrap();
        assert_eq!(read(&path), Some(tuning(2)));
        fs::write(&path, "{\"hardware\":").unwrap();
        assert_eq!(read(&path), None);
    }
}
