//! Many samples of one thing, in the figures that people and the gate go by.

use serde::{Deserialize, Serialize};

/// What one thing took in every run, and what these come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub mean: f64,
    pub median: f64,
    /// The standard deviation of the samples; 0 for one alone.
    pub sd: f64,
    pub min: f64,
    pub max: f64,
    /// A quarter of the samples are no more than this.
    pub low: f64,
    /// In the order in which they were taken.
    pub samples: Vec<f64>,
}

impl Summary {
    pub fn of(samples: Vec<f64>) -> Self {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let mean = sorted.iter().sum::<f64>() / count as f64;
        let squares: f64 = sorted.iter().map(|sample| (sample - mean).powi(2)).sum();
        let sd = if count > 1 { (squares / (count - 1) as f64).sqrt() } else { 0.0 };
        let median = f64::midpoint(sorted[(count - 1) / 2], sorted[count / 2]);
        Self { mean, median, sd, min, max, low: sorted[(count - 1) / 4], samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_the_samples() {
        let summary = Summary::of(vec![4.0, 1.0, 3.0, 2.0]);
        let Summary { mean, median, min, max, low, sd, .. } = summary;
        assert_eq!((mean, median, min, max, low), (2.5, 2.5, 1.0, 4.0, 1.0));
        assert!((sd - 1.290_994).abs() < 1e-6);
        assert_eq!(summary.samples, [4.0, 1.0, 3.0, 2.0]);
        assert_eq!(Summary::of(vec![7.0]).sd, 0.0);
        assert_eq!(Summary::of(Vec::new()), Summary::default());
    }
}
