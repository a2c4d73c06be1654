//! What a profile found, as it is shown, kept and compared.

use std::{fs, io::Write, path::Path};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::Failure;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub kind: Kind,
    /// Of the program.
    pub version: String,
    pub processor: String,
    pub cores: usize,
    pub model: String,
    pub cold: bool,
    pub runs: usize,
    /// Milliseconds of a fixed piece of work around each run: how fast the machine was
    /// meanwhile.
    pub calibration: Summary,
    pub measures: Vec<Measure>,
    /// Of the last run: seconds since its start, and bytes.
    #[serde(default)]
    pub memory: Vec<(f64, u64)>,
    pub targets: Vec<Target>,
    pub advice: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Load,
    Index,
}

/// One thing that was measured in every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    pub name: String,
    pub unit: Unit,
    #[serde(flatten)]
    pub summary: Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Less is better, and a slower machine takes more.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Less is better, whatever the machine.
    #[serde(rename = "MB")]
    Megabytes,
    /// Told, and not judged.
    #[serde(rename = "")]
    Count,
}

impl Unit {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::Megabytes => "MB",
            Self::Count => "",
        }
    }
}

/// What a measure should not be above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub name: String,
    pub unit: Unit,
    pub most: f64,
    /// At the median.
    pub seen: f64,
    pub met: bool,
}

impl Report {
    pub fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }

    pub fn median(&self, name: &str) -> f64 {
        self.measure(name).map_or(0.0, |measure| measure.summary.median)
    }

    /// The targets, held against what was measured.
    pub fn hold_against(&mut self, targets: &[(&str, f64)]) {
        let held = targets.iter().filter_map(|&(name, most)| {
            let Measure { unit, summary, .. } = self.measure(name)?;
            let (unit, seen) = (*unit, summary.median);
            Some(Target { name: name.to_owned(), unit, most, seen, met: seen <= most })
        });
        self.targets = held.collect();
    }

    /// The runs of both, as if they were one.
    pub fn joined(mut self, more: Self) -> Self {
        let join = |summary: &Summary, more: &Summary| {
            Summary::of([summary.samples.as_slice(), &more.samples].concat())
        };
        self.calibration = join(&self.calibration, &more.calibration);
        for measure in &mut self.measures {
            if let Some(other) = more.measure(&measure.name) {
                measure.summary = join(&measure.summary, &other.summary);
            }
        }
        for target in &mut self.targets {
            if let Some(measure) = self.measures.iter().find(|one| one.name == target.name) {
                target.seen = measure.summary.median;
                target.met = target.seen <= target.most;
            }
        }
        self.runs += more.runs;
        self
    }

    /// A kept report.
    ///
    /// # Errors
    /// It cannot be read, or is of another kind.
    pub fn read(path: &Path, kind: Kind) -> anyhow::Result<Self> {
        let text = fs::read(path).with_context(|| format!("{}", path.display()))?;
        let wrong = |why: &str| Failure::Usage(format!("{} {why}", path.display()));
        let report: Self = serde_json::from_slice(&text)
            .map_err(|error| wrong(&format!("is no profile's report: {error}")))?;
        if report.kind != kind {
            return Err(wrong("is a report of the other profile").into());
        }
        Ok(report)
    }

    /// For people at a terminal.
    pub fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let cold = if self.cold { ", files not in memory" } else { "" };
        let runs = if self.runs == 1 { "1 run" } else { &format!("{} runs", self.runs) };
        writeln!(out, "{}, {runs}{cold}; {}, {} cores", self.model, self.processor, self.cores)?;
        writeln!(out, "{:<24}    median      mean        sd       min       max", "")?;
        for Measure { name, unit, summary } in &self.measures {
            let Summary { mean, median, sd, min, max, .. } = summary;
            let name = format!("{name} {}", unit.name());
            writeln!(out, "{name:<24}{median:>10.1}{mean:>10.1}{sd:>10.1}{min:>10.1}{max:>10.1}")?;
        }
        for Target { name, unit, most, seen, met } in &self.targets {
            let verdict = if *met { "met" } else { "missed" };
            let unit = unit.name();
            writeln!(out, "Target    {name}: at most {most:.0} {unit}, seen {seen:.1}: {verdict}")?;
        }
        for advice in &self.advice {
            writeln!(out, "Advice    {advice}")?;
        }
        Ok(())
    }
}
