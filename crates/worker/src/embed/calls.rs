//! Which texts go through the model together.
//!
//! Texts of one call are padded to the longest among them, and padding costs as
//! much as text does. So neighbours in length go together, and only as many as
//! the processor's cache likes: on a CPU a wide batch is slower than a narrow one.

/// Groups texts by their lengths in tokens. Each group is one call: places in
/// `lengths`, the longest text first. A call holds at most `tokens_per_call`
/// tokens, padding included, or one text; unless it `pads`, texts of one length.
pub fn plan(lengths: &[usize], tokens_per_call: usize, pads: bool) -> Vec<Vec<usize>> {
    let mut places: Vec<usize> = (0..lengths.len()).collect();
    places.sort_by_key(|&place| std::cmp::Reverse(lengths[place]));
    let mut calls = Vec::new();
    let mut rest = places.as_slice();
    while let Some(&longest) = rest.first() {
        let width = lengths[longest].max(1);
        let fitting = (tokens_per_call / width).clamp(1, rest.len());
        let alike = || rest.iter().take_while(|place| lengths[**place] == lengths[longest]).count();
        let (call, after) = rest.split_at(if pads { fitting } else { fitting.min(alike()) });
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
        assert_eq!(plan(lengths, tokens_per_call, true), expected);
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
        assert_eq!(plan(&[5, 6, 5, 6, 5], 12, false), [vec![1, 3], vec![0, 2], vec![4]]);
        assert_eq!(plan(&[5, 6, 5, 6, 5], 100, false), [vec![1, 3], vec![0, 2, 4]]);
    }

    proptest! {
        #[test]
        fn each_text_goes_once_and_no_call_is_over_its_size(
            lengths in prop::collection::vec(0usize..600, 0..80),
            tokens_per_call in 0usize..2000,
            pads in any::<bool>(),
        ) {
            let calls = plan(&lengths, tokens_per_call, pads);
            let mut places: Vec<usize> = calls.iter().flatten().copied().collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..lengths.len()).collect::<Vec<_>>());
            for call in &calls {
                let longest = call.iter().map(|&place| lengths[place]).max().unwrap();
                prop_assert!(call.len() == 1 || call.len() * longest <= tokens_per_call);
                prop_assert!(pads || call.iter().all(|&place| lengths[place] == longest));
            }
        }
    }
}
