//! How good answers are by judgements: the field's three measures over the first ten
//! results. It knows neither where judgements come from nor what is asked.

use rummage_search::Mode;

/// Results that are judged.
pub const JUDGED: usize = 10;

/// Of one answer, or of several at the mean; each from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scores {
    /// nDCG@10: how high the best stand, by their gains.
    pub ndcg: f64,
    /// recall@10: how many of those judged good are there.
    pub recall: f64,
    /// MRR@10: one divided by the first one's place.
    pub mrr: f64,
}

/// How good the answers of one mode are, and how long a question takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeScores {
    pub mode: Mode,
    pub scores: Scores,
    /// Milliseconds a question at the median, from its words to its results.
    pub p50_ms: f64,
}

impl Scores {
    /// Of one answer: the gains of its results in order, and those of all judgements, of
    /// which at least one is above 0.
    pub fn of(gains: &[f64], mut ideal: Vec<f64>) -> Self {
        ideal.sort_by(|a, b| b.total_cmp(a));
        let relevant = ideal.iter().filter(|gain| **gain > 0.0).count();
        ideal.truncate(JUDGED);
        let found = gains.iter().filter(|gain| **gain > 0.0).count();
        let first = gains.iter().position(|gain| *gain > 0.0);
        Self {
            ndcg: discounted(gains) / discounted(&ideal),
            recall: found as f64 / relevant as f64,
            mrr: first.map_or(0.0, |place| 1.0 / (place + 1) as f64),
        }
    }
}

impl ModeScores {
    /// The scores of each answer, and its milliseconds.
    pub fn of(mode: Mode, answers: &[(Scores, f64)]) -> Self {
        let count = answers.len().max(1) as f64;
        let mean = |of: fn(&Scores) -> f64| {
            answers.iter().map(|(scores, _)| of(scores)).sum::<f64>() / count
        };
        let scores = Scores {
            ndcg: mean(|scores| scores.ndcg),
            recall: mean(|scores| scores.recall),
            mrr: mean(|scores| scores.mrr),
        };
        let mut times: Vec<f64> = answers.iter().map(|(_, time)| *time).collect();
        times.sort_by(f64::total_cmp);
        Self { mode, scores, p50_ms: times.get(times.len() / 2).copied().unwrap_or_default() }
    }
}

fn discounted(gains: &[f64]) -> f64 {
    gains.iter().enumerate().map(|(place, gain)| gain / (place as f64 + 2.0).log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(gains: &[f64], judged: &[f64], ndcg: f64, recall: f64, mrr: f64) {
        let scores = Scores::of(gains, judged.to_vec());
        for (name, value, expected) in [
            ("nDCG", scores.ndcg, ndcg),
            ("recall", scores.recall, recall),
            ("MRR", scores.mrr, mrr),
        ] {
            assert!((value - expected).abs() < 1e-4, "{name} of {gains:?}: {value}");
        }
    }

    #[test]
    fn an_answer_is_scored() {
        check(&[1.0, 0.0], &[1.0], 1.0, 1.0, 1.0);
        check(&[0.0, 1.0], &[1.0], 0.6309, 1.0, 0.5);
        check(&[0.0, 0.0], &[1.0], 0.0, 0.0, 0.0);
        check(&[1.0, 2.0], &[2.0, 1.0, 1.0], 0.7224, 0.6667, 1.0);
    }

    #[test]
    fn several_answers_have_the_mean_and_the_median() {
        let answers = [(Scores::of(&[1.0], vec![1.0]), 9.0), (Scores::default(), 1.0)];
        let of_both = ModeScores::of(Mode::Hybrid, &answers);
        let half = Scores { ndcg: 0.5, recall: 0.5, mrr: 0.5 };
        assert_eq!((of_both.scores, of_both.p50_ms), (half, 9.0));
        assert_eq!(ModeScores::of(Mode::Hybrid, &[]).scores, Scores::default());
    }
}
