//! How well a model knows the language of a query.
//!
//! A model's vocabulary tells: words of its languages are in it whole or nearly so,
//! words of others are put together from scraps. Only the query is asked, so nothing
//! has to be known about languages.

use rummage_corpus::is_written_without_spaces;

/// Extra tokens a letter up to which a model is at home. all-MiniLM-L6-v2 needs .01
/// to .03 for English questions, .06 for those of biologists, .14 for French, .2 for
/// German, .7 and more for Japanese, Russian and Chinese.
const AT_HOME: f64 = 0.06;

/// How fast trust shrinks beyond.
const DECLINE: f64 = 6.0;

/// From 1, at home, towards 0. `tokens` counts the tokens of a word for the model.
///
/// Words that are no plain words, such as names in programs, say nothing about a
/// language and are left out, as long as there are others.
pub fn fit(text: &str, tokens: impl Fn(&str) -> usize) -> f64 {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let mut plain: Vec<&str> = words.iter().copied().filter(|word| is_plain(word)).collect();
    if plain.is_empty() {
        plain = words;
    }
    let letters: usize = plain.iter().map(|word| word.chars().count()).sum();
    if letters == 0 {
        return 1.0;
    }
    let extra: usize = plain.iter().map(|word| tokens(word).saturating_sub(1)).sum();
    let extra = extra as f64 / letters as f64;
    (-DECLINE * (extra - AT_HOME).max(0.0)).exp()
}

/// Letters only, none of them upper case but the first.
fn is_plain(word: &str) -> bool {
    word.chars().all(char::is_alphabetic)
        && (word.chars().any(is_written_without_spaces)
            || word.chars().skip(1).all(|c| !c.is_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model that knows the words of ASCII letters, and other letters one by one.
    fn tokens(word: &str) -> usize {
        if word.bytes().all(|byte| byte.is_ascii_alphabetic()) { 1 } else { word.chars().count() }
    }

    fn check(text: &str, range: std::ops::RangeInclusive<f64>) {
        let fit = fit(text, tokens);
        assert!(range.contains(&fit), "{text:?}: {fit}");
    }

    #[test]
    fn a_model_is_at_home_in_the_words_that_it_knows() {
        check("the way to the harbour", 1.0..=1.0);
        check("上海有什么", 0.0..=0.05);
        check("where is 上海有什么市 in it", 0.05..=0.5);
        check("", 1.0..=1.0);
    }

    #[test]
    fn names_in_programs_say_nothing_about_the_language() {
        check("where is parse_utf8_2 used", 1.0..=1.0);
        check("x86_64", 0.0..=1.0);
    }
}
