//! Which texts go through the model together.
//!
//! Texts of one call are padded to the longest among them, and padding costs as
//! much as text does. So neighbours in length go together, and only as many as
//! the processor's cache likes: on a CPU a wide batch is slower than a narrow one.

/// Which texts may share a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// All, each padded to the longest.
    Padded,
    /// Those of one length.
    OneLength,
    /// All, and none is padded.
    Free,
}

/// Groups texts by their lengths in tokens. Each group is one call: places in
/// `lengths`, the longest text first. A call holds at most `tokens_per_call`
/// tokens, padding included, or one text.
pub fn plan(lengths: &[usize], tokens_per_call: usize, sharing: Sharing) -> Vec<Vec<usize>> {
    let mut places: Vec<usize> = (0..lengths.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(lengths[place]));
    let mut calls = Vec::new();
    let mut rest = places.as_slice();
    while let Some(&longest) = rest.first() {
        let width = lengths[longest].max(1);
        let mut tokens = 0;
        let shares = |place: &&usize| {
            tokens += if sharing == Sharing::Free { lengths[**place] } else { width };
            let alike = sharing != Sharing::OneLength || lengths[**place] == lengths[longest];
            tokens <= tokens_per_call && alike
        };
        let (call, after) = rest.split_at(rest.iter().take_while(shares).count().max(1));
        calls.push(call.to_vec());
        rest = after;
    }
    calls
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(lengths: &[usize], tokens_per_call: usize, expected: &[&[usize]]) {
        assert_eq!(plan(lengths, tokens_per_call, Sharing::Padded), expected);
    }

    #[test]
    fn neighbours_in_length_share_a_call() {
        check(&[], 256, &[]);
        check(&[10, 100, 12, 90], 200, &[&[1, 3], &[2, 0]]);
        check(&[300, 10], 256, &[&[0], &[1]]);
        check(&[5, 5, 5], 0, &[&[0], &[1], &[2]]);
    }

    #[test]
    fn without_padding_only_equals_share_a_call() {
        let plan = |tokens| plan(&[5, 6, 5, 6, 5], tokens, Sharing::OneLength);
        assert_eq!(plan(12), [vec![1, 3], vec![0, 2], vec![4]]);
        assert_eq!(plan(100), [vec![1, 3], vec![0, 2, 4]]);
    }

    #[test]
    fn where_nothing_is_padded_only_tokens_count() {
        let plan = |tokens| plan(&[10, 100, 12, 90], tokens, Sharing::Free);
        assert_eq!(plan(202), [vec![1, 3, 2], vec![0]]);
        assert_eq!(plan(250), [vec![1, 3, 2, 0]]);
    }

    proptest! {
        #[test]
        fn each_text_goes_once_and_no_call_is_over_its_size(
            lengths in prop::collection::vec(0usize..600, 0..80),
            tokens_per_call in 0usize..2000,
            sharing in prop::sample::select(vec![Sharing::Padded, Sharing::OneLength, Sharing::Free]),
        ) {
            let calls = plan(&lengths, tokens_per_call, sharing);
            let mut places: Vec<usize> = calls.iter().flatten().copied().collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..lengths.len()).collect::<Vec<_>>());
            for call in &calls {
                let longest = call.iter().map(|&place| lengths[place]).max().unwrap();
                let tokens = match sharing {
                    Sharing::Free => call.iter().map(|&place| lengths[place]).sum(),
                    _ => call.len() * longest,
                };
                prop_assert!(call.len() == 1 || tokens <= tokens_per_call);
                let alike = || call.iter().all(|&place| lengths[place] == longest);
                prop_assert!(sharing != Sharing::OneLength || alike());
            }
        }
    }
}
