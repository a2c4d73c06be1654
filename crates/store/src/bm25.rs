//! The passages that match some words best, by BM25, from the fragments' own lists
//! ([`crate::postings`]).
//!
//! A fragment is gone through by windows of rows. What a word can add at most to a row of
//! a window is known; once more rows than are wanted have been found, in whichever
//! fragment, the words that even together cannot lift a row among those (mostly the common
//! ones, with the longest lists) are not read any more for themselves: only the rows that
//! another word leads to are looked up in them. A window in which no word can is passed over.

use std::{
    io,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    postings::{BLOCK, Found, List, Postings, Unpacked, saturation},
    products::for_this_processor,
    shelf::{Bits, side_by_side},
};

/// Rows of a window; a multiple of 64. The sums of one are to stay in the nearest cache.
const WINDOW: usize = 2048;

/// BM25's k₁ + 1, as the database counts.
const SCALE: f64 = 2.2;

/// What adding up in another order, and rounding to four bytes, may change, many times over.
const ROUNDING: f64 = 1.0 + 1e-5;

/// A fragment, and which of its rows count.
pub(crate) struct Part<'a> {
    pub postings: &'a Postings,
    pub deleted: &'a Bits,
    /// `None`: all of them.
    pub wanted: Option<&'a Bits>,
}

/// A word that is looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wanted {
    pub key: u64,
    /// What it counts beside the others.
    pub weight: f32,
}

/// A row that was found: the number of its part, its place there and its score.
pub(crate) type Hit = (usize, u32, f32);

/// Up to `limit` rows, best first. Blocks on the disk.
///
/// # Errors
/// A part's file is not there any more or does not make sense.
pub(crate) fn best(parts: &[Part<'_>], wanted: &[Wanted], limit: usize) -> io::Result<Vec<Hit>> {
    let passages: u64 = parts.iter().map(|part| u64::from(part.postings.passages)).sum();
    let words: u64 = parts.iter().map(|part| part.postings.words).sum();
    if limit == 0 || words == 0 {
        return Ok(Vec::new());
    }
    let average = (words as f64 / passages as f64) as f32;
    let places: Vec<_> = (0..parts.len()).collect();
    let found = side_by_side(&places, |place| {
        let find = |word: &Wanted| parts[*place].postings.find(word.key);
        Ok((*place, wanted.iter().map(find).collect::<io::Result<Vec<_>>>()?))
    });
    let found = found.into_iter().collect::<io::Result<Vec<_>>>()?;
    let weights: Vec<_> = (wanted.iter().enumerate())
        .map(|(number, word)| {
            let rows = |(_, found): &(_, Vec<Option<Found>>)| found[number].map(|of| of.rows);
            let rows: u64 = found.iter().filter_map(rows).map(u64::from).sum();
            SCALE * f64::from(word.weight) * rarity(rows, passages)
        })
        .collect();
    let best = Best { rows: Mutex::default(), limit, bar: AtomicU32::new(0) };
    let read = side_by_side(&found, |(place, found)| {
        let part = &parts[*place];
        let mut lists = Vec::new();
        for (found, weight) in found.iter().zip(&weights) {
            if let Some(found) = found {
                let list = part.postings.list(*found)?;
                lists.push(Cursor::new(list, part.postings, average, *weight));
            }
        }
        go_through(*place, part, lists, average, &best);
        Ok(())
    });
    read.into_iter().collect::<io::Result<()>>()?;
    Ok(best.all())
}

/// BM25's weight of a word that so many of the passages hold.
fn rarity(rows: u64, passages: u64) -> f64 {
    let (rows, passages) = (rows as f64, passages as f64);
    ((passages - rows + 0.5) / (rows + 0.5)).ln_1p()
}

/// The best rows of all parts found so far. Rows that are as good as another have the same
/// score, in whichever order it was added up, and the first of them are kept.
struct Best {
    rows: Mutex<Vec<Hit>>,
    limit: usize,
    /// The score that as many rows as are wanted have at least, for all that is known.
    /// Scores are above 0, so that their bits are in the order of the numbers.
    bar: AtomicU32,
}

impl Best {
    fn bar(&self) -> f32 {
        f32::from_bits(self.bar.load(Ordering::Relaxed))
    }

    fn add(&self, hits: impl Iterator<Item = Hit>) {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.extend(hits.filter(|hit| hit.2 >= self.bar()));
        if rows.len() >= self.limit.saturating_add(self.limit / 2) {
            rows.select_nth_unstable_by(self.limit - 1, order);
            rows.truncate(self.limit);
            self.bar.fetch_max(rows[self.limit - 1].2.to_bits(), Ordering::Relaxed);
        }
    }

    /// Up to as many as are wanted, best first.
    fn all(self) -> Vec<Hit> {
        let mut rows = self.rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.sort_unstable_by(order);
        rows.truncate(self.limit);
        rows
    }
}

fn order(a: &Hit, b: &Hit) -> std::cmp::Ordering {
    b.2.total_cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1)))
}

/// Adds a part's best rows.
fn go_through(place: usize, part: &Part<'_>, mut lists: Vec<Cursor>, average: f32, best: &Best) {
    let lengths = part.postings.lengths();
    let mut sums = [0.0; WINDOW];
    let mut candidates: Vec<(u32, f64)> = Vec::new();
    let mut ahead = Vec::with_capacity(lists.len());
    for start in (0..part.postings.rows()).step_by(WINDOW) {
        let window = start as u32..(start + WINDOW).min(part.postings.rows()) as u32;
        if part.is_empty(start) {
            continue;
        }
        // Those that add the least first.
        lists.iter_mut().for_each(|list| list.enter(&window));
        lists.sort_unstable_by(|a, b| a.most.total_cmp(&b.most));
        let least = f64::from(best.bar()) / ROUNDING;
        ahead.clear();
        ahead.extend(lists.iter().scan(0.0, |sum, list| {
            *sum += list.most;
            Some(*sum)
        }));
        let optional = ahead.partition_point(|most| *most < least);
        if optional == lists.len() {
            continue;
        }
        let mut touched = WINDOW..0;
        for list in &mut lists[optional..] {
            let weight = list.weight;
            list.each(&window, |rows, counts| {
                let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return };
                touched.start = touched.start.min(*first as usize - start);
                touched.end = touched.end.max(*last as usize - start + 1);
                let mut of_rows = [0; BLOCK];
                for (length, row) in of_rows.iter_mut().zip(rows) {
                    *length = lengths[*row as usize];
                }
                let mut shares = [0.0; BLOCK];
                saturations(counts, &of_rows, average, &mut shares);
                for (row, share) in rows.iter().zip(&shares) {
                    sums[*row as usize - start] += weight * f64::from(*share);
                }
            });
        }
        let others = optional.checked_sub(1).map_or(0.0, |last| ahead[last]);
        // Rows that hold none of the words have nothing.
        let enough = (least - others).max(f64::MIN_POSITIVE);
        candidates.clear();
        let touched = touched.start.min(touched.end)..touched.end;
        for (run, sums) in sums[touched.clone()].chunks_mut(RUN).enumerate() {
            if any_of_at_least(sums, enough) {
                let first = (start + touched.start + run * RUN) as u32;
                let reaching = (first..).zip(sums.iter().copied());
                let reaching = reaching.filter(|(row, sum)| *sum >= enough && part.counts(*row));
                candidates.extend(reaching);
            }
            sums.fill(0.0);
        }
        for number in (0..optional).rev() {
            let list = &mut lists[number];
            let others = number.checked_sub(1).map_or(0.0, |before| ahead[before]);
            candidates.retain_mut(|(row, sum)| {
                if *sum + ahead[number] < least {
                    return false;
                }
                // A block may have less to add than the window.
                let Some(most) = list.go_to(*row) else { return *sum + others >= least };
                if *sum + most + others < least {
                    return false;
                }
                if let Some(count) = list.look_up(*row) {
                    let share = saturation(count, lengths[*row as usize], average);
                    *sum += list.weight * f64::from(share);
                }
                true
            });
        }
        if !candidates.is_empty() {
            best.add(candidates.iter().map(|(row, sum)| (place, *row, *sum as f32)));
        }
    }
}

/// Rows whose sums are looked at together.
const RUN: usize = 64;

for_this_processor! {
    fn any_of_at_least(sums: &[f64], least: f64) -> bool {
        sums.iter().fold(false, |any, sum| any | (*sum >= least))
    }
}

for_this_processor! {
    /// [`saturation`], of as many as there are counts.
    fn saturations(counts: &[u32], lengths: &[u16], average: f32, shares: &mut [f32]) {
        for ((share, count), length) in shares.iter_mut().zip(counts).zip(lengths) {
            *share = saturation(*count, *length, average);
        }
    }
}

impl Part<'_> {
    fn counts(&self, row: u32) -> bool {
        !self.deleted.contains(row) && self.wanted.is_none_or(|wanted| wanted.contains(row))
    }

    /// Whether no row of the window that starts here is wanted.
    fn is_empty(&self, start: usize) -> bool {
        let words = start / 64..(start + WINDOW) / 64;
        self.wanted.is_some_and(|wanted| words.into_iter().all(|word| wanted.word(word) == 0))
    }
}

/// A word's list, while its fragment is gone through.
struct Cursor {
    list: List,
    weight: f64,
    /// What the rows of each block can have at most.
    mosts: Vec<f64>,
    /// The first block that does not end before the window, or before the last row asked for.
    block: usize,
    /// What the word can add to a row of the window.
    most: f64,
    /// Which block this is.
    unpacked: Option<usize>,
    rows: Unpacked,
}

impl Cursor {
    fn new(list: List, postings: &Postings, average: f32, weight: f64) -> Self {
        let (lengths, own) = (postings.lengths(), postings.average());
        let most = |block| weight * f64::from(list.most(block, lengths, own, average));
        let mosts = (0..list.blocks()).map(most).collect();
        Self { list, weight, mosts, block: 0, most: 0.0, unpacked: None, rows: Unpacked::default() }
    }

    fn enter(&mut self, window: &Range<u32>) {
        while self.block < self.mosts.len() && self.list.last(self.block) < window.start {
            self.block += 1;
        }
        self.most = 0.0;
        for block in self.block..self.mosts.len() {
            self.most = self.most.max(self.mosts[block]);
            if self.list.last(block) + 1 >= window.end {
                break;
            }
        }
    }

    /// The rows of the window, and how often each holds the word, block by block.
    fn each(&mut self, window: &Range<u32>, mut take: impl FnMut(&[u32], &[u32])) {
        for block in self.block..self.mosts.len() {
            self.unpack(block);
            let rows = &self.rows.rows[..self.rows.len];
            let first = rows.partition_point(|row| *row < window.start);
            let end = rows.partition_point(|row| *row < window.end);
            take(&rows[first..end], &self.rows.counts[first..end]);
            if end < self.rows.len {
                break;
            }
        }
    }

    /// What the word can add to a row of the block that this row would be in; `None` where
    /// there is none. Rows are asked for in order.
    fn go_to(&mut self, row: u32) -> Option<f64> {
        while self.block < self.mosts.len() && self.list.last(self.block) < row {
            self.block += 1;
        }
        self.mosts.get(self.block).copied()
    }

    /// How often this row holds the word, which was gone to.
    fn look_up(&mut self, row: u32) -> Option<u32> {
        self.unpack(self.block);
        let place = self.rows.rows[..self.rows.len].binary_search(&row).ok()?;
        Some(self.rows.counts[place])
    }

    fn unpack(&mut self, block: usize) {
        if self.unpacked != Some(block) {
            self.list.unpack(block, &mut self.rows);
            self.unpacked = Some(block);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rummage_testkit::Dice;

    use super::*;
    use crate::postings::{Builder, Share, key};

    const WORDS: usize = 40;

    /// Passages of one fragment, which of them are gone (`None`: since before its words were
    /// gathered) and which are wanted.
    struct Fragment {
        rows: Vec<Option<Vec<usize>>>,
        postings: Postings,
        deleted: Bits,
        wanted: Bits,
    }

    fn fragment(dice: &mut Dice) -> Fragment {
        let rows = [3, 130, 2047, 2049, 5000][dice.below(5)];
        let longest = 2 + dice.below(60);
        let mut builder = Builder::new(Share::default(), usize::MAX);
        let (mut deleted, mut wanted) = (Bits::default(), Bits::default());
        let share = 1 + dice.below(20);
        let rows: Vec<Option<Vec<usize>>> = (0..rows)
            .map(|row| {
                let is_edge = row % WINDOW as u32 == 0 || (row + 1) % WINDOW as u32 == 0;
                if dice.below(share) == 0 || (is_edge && dice.below(2) == 0) {
                    wanted.insert(row);
                }
                if dice.below(8) == 0 {
                    deleted.insert(row);
                    return None;
                }
                // Some have no words.
                let length = dice.below(longest);
                // The smaller its number, the more common a word is.
                let mut word = || {
                    let bound = 1 + dice.below(WORDS);
                    dice.below(bound)
                };
                let words: Vec<_> = (0..length).map(|_| word()).collect();
                let text: Vec<_> = words.iter().map(usize::to_string).collect();
                builder.add(row, &text.join(" "));
                if dice.below(10) == 0 {
                    deleted.insert(row);
                }
                Some(words)
            })
            .collect();
        let postings = builder.finish(rows.len()).unwrap();
        Fragment { rows, postings, deleted, wanted }
    }

    /// As the formula says, over all rows.
    fn scores(fragments: &[Fragment], asked: &[(usize, f32)], filtered: bool) -> Vec<Hit> {
        let all: Vec<_> =
            fragments.iter().flat_map(|fragment| fragment.rows.iter().flatten()).collect();
        let average = all.iter().map(|row| row.len()).sum::<usize>() as f64 / all.len() as f64;
        let rows_with = |word| all.iter().filter(|row| row.contains(&word)).count() as f64;
        let idf: Vec<_> = asked
            .iter()
            .map(|(word, _)| {
                let rows = rows_with(*word);
                (1.0 + (all.len() as f64 - rows + 0.5) / (rows + 0.5)).ln()
            })
            .collect();
        let mut hits = Vec::new();
        for (number, fragment) in fragments.iter().enumerate() {
            for (row, words) in (0..).zip(&fragment.rows) {
                let Some(words) = words else { continue };
                if fragment.deleted.contains(row) || (filtered && !fragment.wanted.contains(row)) {
                    continue;
                }
                let parts = asked.iter().zip(&idf).map(|((word, weight), idf)| {
                    let count = words.iter().filter(|other| *other == word).count() as f64;
                    let norm = 1.2 * (0.25 + 0.75 * words.len() as f64 / average);
                    f64::from(*weight) * idf * 2.2 * count / (count + norm)
                });
                let score: f64 = parts.sum();
                if score > 0.0 {
                    hits.push((number, row, score as f32));
                }
            }
        }
        hits.sort_by(|a, b| b.2.total_cmp(&a.2));
        hits
    }

    fn check(seed: u64) -> Result<(), TestCaseError> {
        let mut dice = Dice::new(seed);
        let count = 1 + dice.below(4);
        let fragments: Vec<_> = (0..count).map(|_| fragment(&mut dice)).collect();
        for filtered in [false, true] {
            // One of them is in no passage.
            let mut words: Vec<_> = (0..1 + dice.below(8)).map(|_| dice.below(WORDS + 1)).collect();
            words.sort_unstable();
            words.dedup();
            let asked: Vec<_> =
                words.into_iter().map(|word| (word, [1.0, 0.7, 2.0][dice.below(3)])).collect();
            let limit = [1, 7, 200, 20_000][dice.below(4)];
            let parts: Vec<_> = fragments
                .iter()
                .map(|Fragment { postings, deleted, wanted, .. }| Part {
                    postings,
                    deleted,
                    wanted: filtered.then_some(wanted),
                })
                .collect();
            let wanted: Vec<_> = asked
                .iter()
                .map(|(word, weight)| Wanted { key: key(&word.to_string()), weight: *weight })
                .collect();
            let hits = best(&parts, &wanted, limit).unwrap();
            let expected = scores(&fragments, &asked, filtered);
            prop_assert_eq!(hits.len(), expected.len().min(limit));
            for (place, (hit, best)) in hits.iter().zip(&expected).enumerate() {
                let same = |a: f32, b: f32| (a - b).abs() <= 1e-4 * b;
                prop_assert!(same(hit.2, best.2), "place {}: {:?}, not {:?}", place, hit, best);
                let own = expected.iter().find(|other| (other.0, other.1) == (hit.0, hit.1));
                prop_assert!(own.is_some_and(|own| same(hit.2, own.2)), "{:?} is {:?}", hit, own);
            }
            let rows: std::collections::HashSet<_> =
                hits.iter().map(|hit| (hit.0, hit.1)).collect();
            prop_assert_eq!(rows.len(), hits.len());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn the_best_are_those_of_the_formula(seed in any::<u64>()) {
            check(seed)?;
        }
    }

    #[test]
    fn nothing_is_found_in_nothing() {
        let wanted = [Wanted { key: key("a"), weight: 1.0 }];
        assert!(best(&[], &wanted, 10).unwrap().is_empty());
        let (postings, none) =
            (Builder::new(Share::default(), usize::MAX).finish(5).unwrap(), Bits::default());
        let part = || Part { postings: &postings, deleted: &none, wanted: None };
        assert!(best(&[part()], &wanted, 10).unwrap().is_empty());
        assert!(best(&[part()], &[], 10).unwrap().is_empty());
    }
}
