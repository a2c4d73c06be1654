//! What a word may be meant for that is not known: words that it is the beginning of,
//! or else those that differ by one slip of the finger (a letter more, less, other, or
//! swapped with its neighbour).

use std::{collections::BTreeSet, str::Chars};

/// Words that may stand for one, at most.
pub(crate) const EXPANSIONS: usize = 16;

/// Words that are compared with one, for each way in which it may begin.
pub(crate) const LOOKED_AT: usize = 5_000;

/// A word of fewer letters is not completed, and one of fewer is not mended.
const COMPLETED: usize = 3;
pub(crate) const MENDED: usize = 4;

/// A word of a query, for which others may be looked for where nothing holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryWord {
    /// In lower case.
    pub typed: String,
    /// As `corpus::words` makes it.
    pub stem: String,
    /// Whether it may be the beginning of a word, or a part of one.
    pub may_be_part: bool,
    pub may_be_slip: bool,
}

/// Words to look for instead of one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Instead {
    pub words: Vec<String>,
    /// Else it is the beginning or the end of them.
    pub by_slip: bool,
}

/// The words that begin with this one, where it may be a part of one, else, where it may be a
/// slip, those one slip away. `each` tells up to so many of the known words that begin so;
/// looking for a slip asks it some fifty times.
pub(crate) fn meant_by(
    QueryWord { typed, stem: word, may_be_part, may_be_slip }: &QueryWord,
    each: impl Fn(&str, usize, &mut dyn FnMut(&str)) -> rusqlite::Result<()>,
) -> rusqlite::Result<Instead> {
    let letters = word.chars().count();
    let (mut others, mut by_slip) = (Vec::new(), false);
    if *may_be_part && letters >= COMPLETED {
        each(word, EXPANSIONS + 1, &mut |other| others.push(other.to_owned()))?;
        others.retain(|other| other != word);
    }
    // Another number is another thing.
    let may_be_slip = *may_be_slip && letters >= MENDED && word.chars().all(char::is_alphabetic);
    if others.is_empty() && may_be_slip {
        others = with_one_slip(word, |start, take| each(start, LOOKED_AT, take))?;
        others.retain(|other| takes_end_of(other, typed, word));
        by_slip = !others.is_empty();
    }
    others.truncate(EXPANSIONS);
    Ok(Instead { words: others, by_slip })
}

/// The words that are one slip away from `word`, which hardly ever is in the first
/// letter: “alive” is not meant for “olive”. `each` tells the known words that begin so; it
/// is asked for the few ways in which a slip can begin, so that no slip costs a walk
/// through all words.
fn with_one_slip(
    word: &str,
    each: impl Fn(&str, &mut dyn FnMut(&str)) -> rusqlite::Result<()>,
) -> rusqlite::Result<Vec<String>> {
    let letters: Vec<char> = word.chars().collect();
    let [first, second, third, ..] = letters[..] else { return Ok(Vec::new()) };
    // The slip comes later, or is the second letter being gone, or swapped with the first.
    let mut starts = vec![
        [first, second].iter().collect::<String>(),
        [second, first].iter().collect(),
        [first, third].iter().collect(),
    ];
    // Or the second letter is another, or comes before one that is missing.
    for other in alphabet_of(first) {
        starts.push([first, other, second].iter().collect());
        starts.push([first, other, third].iter().collect());
    }
    let mut found = Vec::new();
    for start in starts {
        each(&start, &mut |other| {
            if is_one_slip(&letters, other) {
                found.push(other.to_owned());
            }
        })?;
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Whether the end of `typed`, of which `word` is the stem, makes a word of the stem `other`
/// too, as it stands or with a slip: “radiators” is none of “radians”, though “radiat” is
/// one of “radian”.
fn takes_end_of(other: &str, typed: &str, word: &str) -> bool {
    let is_of = |ended: &str| rummage_corpus::words(ended).iter().all(|word| word.stem == other);
    match typed.strip_prefix(word) {
        None | Some("") => true,
        Some(end) => {
            is_of(&format!("{other}{end}")) || slips(typed).iter().any(|ended| is_of(ended))
        }
    }
}

/// The letters among which one was meant: those of the script.
fn alphabet_of(letter: char) -> std::ops::RangeInclusive<char> {
    match letter {
        'α'..='ω' => 'α'..='ω',
        'а'..='я' => 'а'..='я',
        'א'..='ת' => 'א'..='ת',
        'ا'..='ي' => 'ا'..='ي',
        _ => 'a'..='z',
    }
}

/// Whether one letter more, less, other or swapped with its neighbour makes one word
/// of the other.
fn is_one_slip(one: &[char], other: &str) -> bool {
    // Thousands are looked at for a word.
    let (mut one, mut other) = (one, other.chars());
    loop {
        let mut after = other.clone();
        match (one, after.next()) {
            ([a, rest @ ..], Some(b)) if *a == b => (one, other) = (rest, after),
            _ => break,
        }
    }
    let is = |a: &[char], b: Chars<'_>| a.iter().copied().eq(b);
    let mut after = other.clone();
    let Some(b1) = after.next() else { return one.len() == 1 };
    let [_, rest @ ..] = one else { return is(&[], after) };
    let mut after_two = after.clone();
    let is_swapped = match (one, after_two.next()) {
        ([a1, a2, rest @ ..], Some(b2)) => *a1 == b2 && *a2 == b1 && is(rest, after_two),
        _ => false,
    };
    is_swapped || is(rest, other) || is(rest, after.clone()) || is(one, after)
}

/// Letters of what may end a word in English or German: as far as it was typed, the
/// stemmer may not know the end yet.
const ENDINGS: [&str; 40] = [
    "icate",
    "icated",
    "icating",
    "ication",
    "ications",
    "ational",
    "ationally",
    "ity",
    "ities",
    "ing",
    "ings",
    "ingly",
    "edly",
    "ment",
    "ments",
    "ness",
    "nesses",
    "able",
    "ables",
    "ibly",
    "ive",
    "ively",
    "ous",
    "ously",
    "ise",
    "ising",
    "ised",
    "ize",
    "izing",
    "ized",
    "ful",
    "fully",
    "less",
    "ance",
    "ences",
    "ung",
    "ungen",
    "heiten",
    "keit",
    "lichen",
];

/// What a word may become that is still being typed.
pub(crate) fn completions(word: &str) -> impl Iterator<Item = String> {
    let ends: BTreeSet<_> = ENDINGS
        .iter()
        .flat_map(|ending| (0..ending.len()).map(move |from| &ending[from..]))
        .collect();
    ends.into_iter().map(move |end| format!("{word}{end}"))
}

/// Letters at a word's end, where a slip may change the stem besides.
const END: usize = 5;

/// All that is one slip in the last letters away from a word.
pub(crate) fn slips(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let [first, ..] = letters[..] else { return Vec::new() };
    let mut slips = Vec::new();
    let mut push = |before: &[char], instead: &[char], after: &[char]| {
        slips.push(before.iter().chain(instead).chain(after).collect());
    };
    for at in letters.len().saturating_sub(END).max(1)..=letters.len() {
        let (before, after) = letters.split_at(at);
        if let [one, other, after @ ..] = after {
            push(before, &[*other, *one], after);
        }
        for letter in alphabet_of(first) {
            push(before, &[letter], after);
            if let [_, after @ ..] = after {
                push(before, &[letter], after);
            }
        }
        if let [_, after @ ..] = after {
            push(before, &[], after);
        }
    }
    slips
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slip_is_forgiven() {
        let check = |one: &str, other: &str, expected| {
            let letters = |word: &str| word.chars().collect::<Vec<_>>();
            assert_eq!(is_one_slip(&letters(one), other), expected, "{one}");
            assert_eq!(is_one_slip(&letters(other), one), expected, "{other}");
        };
        check("budget", "budgt", true);
        check("budgt", "budget", true);
        check("budgat", "budget", true);
        check("bugdet", "budget", true);
        check("budget", "budgets", true);
        check("bugdat", "budget", false);
        check("budget", "budget", false);
        check("budget", "bud", false);
        check("budge", "budgets", false);
        check("bduget", "budgets", false);
        check("grün", "grnü", true);
        check("a", "", true);
        check("", "", false);
    }

    #[test]
    fn slips_are_one_slip_away() {
        let all: BTreeSet<_> = slips("grüße").into_iter().collect();
        let letters: Vec<_> = "grüße".chars().collect();
        for slip in ["gürße", "grße", "grüß", "grüßen", "graße", "grüßa", "gxrüße"] {
            assert!(all.contains(slip), "{slip}");
        }
        assert!(all.iter().all(|slip| slip == "grüße" || is_one_slip(&letters, slip)));
        assert!(slips("").is_empty());
    }

    #[test]
    fn a_slip_is_found_wherever_it_is() {
        let known = ["harbour", "budget", "книга"];
        let near = |word: &str| {
            let each = |start: &str, take: &mut dyn FnMut(&str)| {
                known.iter().filter(|known| known.starts_with(start)).for_each(|known| take(known));
                Ok(())
            };
            with_one_slip(word, each).unwrap()
        };
        for word in ["ahrbour", "hrbour", "hxrbour", "hxarbour"] {
            assert_eq!(near(word), ["harbour"], "{word}");
        }
        for word in ["harbor", "harbourx", "harobur", "harxour"] {
            assert_eq!(near(word), ["harbour"], "{word}");
        }
        for word in ["arbour", "xarbour", "xharbour"] {
            assert_eq!(near(word), [""; 0], "{word}");
        }
        assert_eq!(near("кнага"), ["книга"]);
        assert_eq!(near("haxbxur"), [""; 0]);
    }
}
