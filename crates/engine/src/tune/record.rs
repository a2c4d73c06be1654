//! What was measured on this machine, kept in the data folder, and what *auto* means
//! by it. It counts on the hardware that it was measured on and on no other.

use std::{fs, io, path::Path};

use rummage_pool::Accelerator;
use rummage_settings::Resolved;
use serde::{Deserialize, Serialize};

use super::{Setting, Trial};
use crate::{folder::DataFolder, hardware::Hardware, model::LoadedModel};

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

impl Tuning {
    /// Whether it was measured with this model.
    pub(crate) fn is_of(&self, model: &LoadedModel) -> bool {
        self.hardware.model == model.identity.fingerprint
    }

    /// The rule's numbers, with what was measured in their place.
    pub(crate) fn applied_to(&self, rule: Resolved) -> Resolved {
        let Setting { workers, threads, tokens_per_call } = self.choice;
        Resolved {
            // The machine may have less memory than it had.
            pool_size: workers.min(rule.pool_size),
            threads_per_worker: threads,
            tokens_per_call,
            ..rule
        }
    }
}

/// What was measured on this machine, with whichever model; `None` where nothing was, or
/// on other hardware or another accelerator, or where the record cannot be read.
pub(crate) fn kept(
    folder: &DataFolder,
    model: &LoadedModel,
    accelerator: Option<&Accelerator>,
) -> Option<Tuning> {
    let tuning = read(&folder.tuning())?;
    let hardware = Hardware::of(model, accelerator);
    let hardware = Hardware { model: tuning.hardware.model.clone(), ..hardware };
    (tuning.hardware == hardware).then_some(tuning)
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
    use rummage_protocol::Provider;

    use super::*;

    fn tuning(workers: usize) -> Tuning {
        let hardware = Hardware {
            processor: "Z80".into(),
            instructions: Vec::new(),
            cores: 2,
            runtime: "0".into(),
            provider: Provider::OpenVino,
            model: "tiny".into(),
        };
        let choice = Setting { workers, threads: 2, tokens_per_call: 64 };
        let trial = Trial { setting: choice, passages_per_second: 12.5, turns: 3 };
        let table = vec![trial];
        Tuning { hardware, measured_at: 7, seconds: 20.0, passages: 90, choice, table }
    }

    #[test]
    fn what_was_measured_wins_as_far_as_memory_goes() {
        let rule = rummage_settings::auto(8, 64 << 30, 23 << 20);
        let expected =
            Resolved { pool_size: 3, threads_per_worker: 2, tokens_per_call: 64, ..rule };
        assert_eq!(tuning(3).applied_to(rule), expected);
        assert_eq!(tuning(40).applied_to(rule).pool_size, 8);
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
