//! One order from two legs' scores. Pure arithmetic: it asks nobody.
//!
//! Scores are put together, not ranks: a z-score keeps how far ahead a leg's best
//! is. How much the meaning leg counts is a matter of the query: a model knows little
//! of a language that it was not made for, and then its order is noise that costs up
//! to .2 of nDCG@10. So its share shrinks with [`Meaning::fit`].
//!
//! Two constants are behind this, here and in [`crate::fit`]. They were chosen on
//! 14 collections, half of them made from manual pages and source code; with them
//! the fusion is within .01 of the best fixed share of each, and .003 on average.
//!
//! [`Meaning::fit`]: crate::Meaning::fit

use std::collections::{BTreeMap, HashMap};

use rummage_corpus::{FileId, PassageId};

/// The meaning leg's share where the model knows the query's language; the keyword
/// leg has the rest. At .5, .6, .7 nDCG@10 is .746, .747, .731 on SciFact and .647,
/// .651, .655 on functions to find by their description.
const MEANING_SHARE: f64 = 0.6;

/// A passage that either leg found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    pub id: PassageId,
    /// BM25; `None` for a passage that the keyword leg did not return.
    pub keyword: Option<f32>,
    /// Cosine; `None` for a passage that has no vector.
    pub similarity: Option<f32>,
    /// Whether scores stand on it; else it was found because many were asked for, and changes
    /// no score but its own.
    pub is_sampled: bool,
}

/// A file with its passages, best first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RankedFile {
    pub file: FileId,
    pub score: f64,
    pub passages: Vec<(PassageId, f64)>,
    pub arithmetic: Arithmetic,
}

/// A file that the query's words name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Named {
    pub file: FileId,
    /// Of the query's words that say something, how many its name holds, 0 to 1.
    pub share: f64,
    /// Whether they are the whole name.
    pub whole: bool,
}

/// What a name that holds all of the query's words adds to a score: as much as
/// being two to three standard deviations above the average candidate. A name that
/// holds some of them adds the square of their share of it.
const NAME: f64 = 2.5;

/// What a whole name adds: whoever types one means that file, whatever others hold.
const WHOLE_NAME: f64 = 100.0;

/// How a file's score came about: `meaning_share × meaning.z + (1 − meaning_share) ×
/// keyword.z`, or the one leg that there is, plus what the name adds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arithmetic {
    pub keyword: Option<LegScore>,
    pub meaning: Option<LegScore>,
    /// 0 to 1.
    pub meaning_share: f64,
    /// Added because the query names the file.
    pub name: f64,
    pub score: f64,
}

/// One leg's score of a file, on the scale of all candidates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LegScore {
    /// BM25 or cosine of the file's best passage; what the leg does not know of a
    /// file counts as 0 (keyword) or the mean (meaning).
    pub score: f64,
    /// Of the candidate files, with their standard deviation.
    pub mean: f64,
    pub deviation: f64,
    pub z: f64,
}

/// The candidates' files, best first; equals by id. A file is as good, in each
/// leg, as its best passage there. `fit` is how well the model knows the query's
/// language, 0 to 1. Of a file with passages that scores stand on, only these count.
///
/// Scores are z-scores: 0 is the average candidate, in units of its standard
/// deviation.
pub(crate) fn rank(candidates: &[Candidate], fit: f64, named: &[Named]) -> Vec<RankedFile> {
    let added = |named: &Named| match named.whole {
        true => WHOLE_NAME,
        false => NAME * named.share.powi(2),
    };
    let named: HashMap<_, _> = named.iter().map(|named| (named.file, added(named))).collect();
    let mut files: BTreeMap<FileId, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        files.entry(candidate.id.file()).or_default().push(*candidate);
    }
    for passages in files.values_mut() {
        let is_sampled = passages.iter().any(|passage| passage.is_sampled);
        passages.retain(|passage| passage.is_sampled == is_sampled);
    }
    let bests: Vec<_> = files.values().map(|passages| best(passages)).collect();
    let sample: Vec<_> = bests.iter().copied().filter(|best| best.is_sampled).collect();
    let passages = candidates.iter().filter(|candidate| candidate.is_sampled).count();
    let fusion = Fusion::over(&sample, passages, MEANING_SHARE * fit);
    let mut ranked: Vec<_> = files
        .into_iter()
        .zip(&bests)
        .map(|((file, passages), best)| {
            let mut arithmetic = fusion.arithmetic(best);
            // All that are let in by their names are sampled.
            let name = named.get(&file).filter(|_| best.is_sampled);
            arithmetic.name = name.copied().unwrap_or(0.0);
            arithmetic.score += arithmetic.name;
            let passages = fusion.order(&passages);
            RankedFile { file, score: arithmetic.score, passages, arithmetic }
        })
        .collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.file.cmp(&b.file)));
    ranked
}

/// What a file's passages are at best in each leg.
fn best(passages: &[Candidate]) -> Candidate {
    Candidate {
        keyword: passages.iter().filter_map(|passage| passage.keyword).reduce(f32::max),
        similarity: passages.iter().filter_map(|passage| passage.similarity).reduce(f32::max),
        ..passages[0]
    }
}

/// A z-score on a scale from 0 to 1 that people can read; the order stays.
pub(crate) fn for_people(z: f64) -> f32 {
    (1.0 / (1.0 + (-z).exp())) as f32
}

/// Both legs' scales, over one answer's candidates.
struct Fusion {
    keyword: Option<Scale>,
    meaning: Option<Scale>,
    meaning_share: f64,
}

impl Fusion {
    /// Of files, by their best passages, of so many in all. Each further passage counts as
    /// one more that holds none of the words: where the nearest passages are those of a few
    /// long files, too few files are left for the one that holds a rare word to stand out.
    fn over(files: &[Candidate], passages: usize, meaning_share: f64) -> Fusion {
        let anything = files.iter().any(|file| file.keyword.is_some());
        let further = passages.saturating_sub(files.len());
        let keyword = files.iter().map(|file| f64::from(keyword_score(file)));
        let keyword = keyword.chain(std::iter::repeat_n(0.0, further));
        let meaning = files.iter().filter_map(|file| file.similarity).map(f64::from);
        Fusion {
            keyword: anything.then(|| Scale::of(keyword)).flatten(),
            meaning: Scale::of(meaning),
            meaning_share,
        }
    }

    fn arithmetic(&self, candidate: &Candidate) -> Arithmetic {
        let keyword = self.keyword.map(|scale| scale.of_score(keyword_score(candidate)));
        // What has no vector yet is neither near nor far.
        let meaning = self.meaning.map(|scale| match candidate.similarity {
            Some(similarity) => scale.of_score(similarity),
            None => scale.of_mean(),
        });
        let (meaning_share, score) = match (keyword, meaning) {
            (Some(keyword), Some(meaning)) => {
                let share = self.meaning_share;
                (share, share * meaning.z + (1.0 - share) * keyword.z)
            }
            (None, Some(meaning)) => (1.0, meaning.z),
            (keyword, None) => (0.0, keyword.map_or(0.0, |keyword| keyword.z)),
        };
        Arithmetic { keyword, meaning, meaning_share, name: 0.0, score }
    }

    fn order(&self, passages: &[Candidate]) -> Vec<(PassageId, f64)> {
        let mut scored: Vec<_> =
            passages.iter().map(|p| (p.id, self.arithmetic(p).score)).collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scored
    }
}

/// A passage that the keyword leg did not return holds none of the words, or too
/// few to matter. Taking the leg's lowest score instead loses .009 on SciFact.
fn keyword_score(candidate: &Candidate) -> f32 {
    candidate.keyword.unwrap_or(0.0)
}

#[derive(Debug, Clone, Copy)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Scale> {
        let count = values.clone().count() as f64;
        if count == 0.0 {
            return None;
        }
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        Some(Scale { mean, deviation: variance.sqrt() })
    }

    fn of_score(self, score: f32) -> LegScore {
        let Scale { mean, deviation } = self;
        let score = f64::from(score);
        // Values that differ by rounding alone do not differ.
        let z = if deviation <= 1e-9 { 0.0 } else { (score - mean) / deviation };
        LegScore { score, mean, deviation, z }
    }

    fn of_mean(self) -> LegScore {
        let Scale { mean, deviation } = self;
        LegScore { score: mean, mean, deviation, z: 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    type Scores = (i64, u32, Option<f32>, Option<f32>);

    fn candidates(scores: &[Scores]) -> Vec<Candidate> {
        let candidate = |&(file, ordinal, keyword, similarity): &Scores| Candidate {
            id: PassageId::new(FileId(file), ordinal),
            keyword,
            similarity,
            is_sampled: true,
        };
        scores.iter().map(candidate).collect()
    }

    fn check(scores: &[Scores], expected: &[i64]) {
        let order: Vec<_> =
            rank(&candidates(scores), 1.0, &[]).iter().map(|ranked| ranked.file.0).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn being_good_in_both_legs_wins() {
        check(
            &[
                (1, 0, Some(9.0), Some(0.5)),
                (2, 0, Some(8.0), Some(0.7)),
                (3, 0, None, Some(0.75)),
                (4, 0, Some(1.0), Some(0.2)),
            ],
            &[2, 1, 3, 4],
        );
    }

    #[test]
    fn a_leg_that_found_nothing_does_not_count() {
        check(&[(1, 0, None, Some(0.2)), (2, 0, None, Some(0.3))], &[2, 1]);
        check(&[(1, 0, Some(2.0), None), (2, 0, Some(3.0), None)], &[2, 1]);
        check(&[], &[]);
    }

    #[test]
    fn what_is_not_embedded_yet_is_not_punished() {
        check(
            &[(1, 0, Some(9.0), None), (2, 0, Some(1.0), Some(0.5)), (3, 0, Some(1.0), Some(0.1))],
            &[1, 2, 3],
        );
    }

    #[test]
    fn what_scores_do_not_stand_on_changes_none_but_its_own() {
        let scores: Vec<Scores> =
            (0..9).map(|i| (i, 0, Some(i as f32), Some(0.1 * (i % 4) as f32))).collect();
        let few = rank(&candidates(&scores), 1.0, &[]);
        let mut more = candidates(&scores);
        let others = candidates(&[(0, 1, Some(70.0), Some(0.9)), (20, 0, Some(4.5), Some(0.15))]);
        more.extend(others.iter().map(|other| Candidate { is_sampled: false, ..*other }));
        let named = [Named { file: FileId(20), share: 1.0, whole: true }];
        let mut ranked = rank(&more, 1.0, &named);
        let other = ranked.iter().position(|ranked| ranked.file == FileId(20)).unwrap();
        assert!(other > 0 && other < 9, "{other}");
        ranked.remove(other);
        assert_eq!(ranked, few);
    }

    #[test]
    fn equals_come_in_the_order_of_their_ids() {
        check(
            &[(3, 0, Some(1.0), None), (1, 0, Some(1.0), None), (2, 0, Some(1.0), None)],
            &[1, 2, 3],
        );
    }

    #[test]
    fn a_file_is_as_good_as_its_best_passage_and_shows_it_first() {
        let scores = [
            (1, 0, Some(1.0), Some(0.1)),
            (1, 7, Some(5.0), Some(0.9)),
            (2, 0, Some(4.0), Some(0.8)),
        ];
        let ranked = rank(&candidates(&scores), 1.0, &[]);
        assert_eq!(ranked[0].file, FileId(1));
        let ordinals: Vec<_> = ranked[0].passages.iter().map(|(id, _)| id.ordinal()).collect();
        assert_eq!(ordinals, [7, 0]);
    }

    #[test]
    fn a_file_that_the_query_names_comes_first() {
        let scores = [(1, 0, Some(2.0), Some(0.5)), (2, 0, None, Some(0.2)), (3, 0, None, None)];
        let named = [Named { file: FileId(3), share: 1.0, whole: false }];
        let ranked = rank(&candidates(&scores), 1.0, &named);
        assert_eq!(ranked[0].file, FileId(3));
        assert_eq!(ranked[0].arithmetic.name, NAME);
    }

    #[test]
    fn a_whole_name_comes_before_what_others_hold() {
        let mut scores: Vec<_> = (3..300).map(|file| (file, 0, None, Some(0.3))).collect();
        scores.extend([(1, 0, Some(20.0), Some(0.9)), (2, 0, None, Some(0.1))]);
        let named = |whole| [Named { file: FileId(2), share: 1.0, whole }];
        let first = |whole| rank(&candidates(&scores), 1.0, &named(whole))[0].file;
        assert_eq!((first(false), first(true)), (FileId(1), FileId(2)));
    }

    /// The nearest passages are those of a few long files, whose similarities differ.
    #[test]
    fn the_one_file_that_holds_a_rare_word_stands_out_among_long_ones() {
        let near = |i: i64| (i % 12, i as u32, None, Some(0.3 + (i % 12) as f32 / 100.0));
        let mut scores: Vec<_> = (0..200).map(near).collect();
        scores.push((100, 0, Some(9.0), Some(0.2)));
        assert_eq!(rank(&candidates(&scores), 1.0, &[])[0].file, FileId(100));
    }

    #[test]
    fn a_model_that_does_not_know_the_language_has_no_say() {
        let scores =
            [(1, 0, Some(2.0), Some(0.1)), (2, 0, Some(1.0), Some(0.9)), (3, 0, None, Some(0.8))];
        let order =
            |fit| rank(&candidates(&scores), fit, &[]).iter().map(|r| r.file.0).collect::<Vec<_>>();
        assert_eq!(order(0.0), [1, 2, 3]);
        assert_eq!(order(1.0), [2, 3, 1]);
    }

    fn leg() -> impl Strategy<Value = Option<f32>> {
        prop::option::of(0.0f32..30.0)
    }

    proptest! {
        #[test]
        fn every_file_is_there_once_and_in_order(
            scores in prop::collection::btree_map((0i64..20, 0u32..4), (leg(), leg()), 0..60),
            sampled in prop::collection::vec(any::<bool>(), 60),
            fit in 0.0f64..=1.0,
        ) {
            let scores: Vec<Scores> =
                scores.into_iter().map(|((file, ordinal), (k, s))| (file, ordinal, k, s)).collect();
            let mut candidates = candidates(&scores);
            for (candidate, is_sampled) in candidates.iter_mut().zip(sampled) {
                candidate.is_sampled = is_sampled;
            }
            let ranked = rank(&candidates, fit, &[]);
            let mut files: Vec<_> = ranked.iter().map(|ranked| ranked.file).collect();
            files.sort_unstable();
            files.dedup();
            prop_assert_eq!(files.len(), ranked.len());
            for ranked in &ranked {
                let passages = || candidates.iter().filter(|one| one.id.file() == ranked.file);
                let sampled = passages().filter(|passage| passage.is_sampled).count();
                let expected = if sampled > 0 { sampled } else { passages().count() };
                prop_assert_eq!(ranked.passages.len(), expected);
            }
            let all: HashSet<_> = scores.iter().map(|(file, ..)| FileId(*file)).collect();
            prop_assert_eq!(all.len(), ranked.len());
            for pair in ranked.windows(2) {
                prop_assert!(pair[0].score >= pair[1].score);
                prop_assert!(for_people(pair[0].score) >= for_people(pair[1].score));
            }
            for ranked in &ranked {
                prop_assert!(ranked.passages.windows(2).all(|pair| pair[0].1 >= pair[1].1));
                prop_assert!(ranked.score.is_finite());
                prop_assert!((0.0..=1.0).contains(&for_people(ranked.score)));
            }
        }
    }
}
