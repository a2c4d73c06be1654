//! Numbers that look random and are the same in every run.

/// The SplitMix64 generator: one seed, one row of numbers, on every machine.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`, which must not be 0.
    pub const fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// From -1 to below 1.
    pub fn signed(&mut self) -> f32 {
        // The upper 24 bits are what an f32 holds exactly.
        (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    pub const fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_row() {
        let row =
            |seed| (0..8).scan(Dice::new(seed), |dice, _| Some(dice.next())).collect::<Vec<_>>();
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
    }

    #[test]
    fn signed_numbers_stay_in_their_range() {
        let mut dice = Dice::new(1);
        let numbers: Vec<f32> = (0..10_000).map(|_| dice.signed()).collect();
        assert!(numbers.iter().all(|number| (-1.0..1.0).contains(number)));
        let positive = numbers.iter().filter(|number| **number > 0.0).count();
        assert!((4_500..5_500).contains(&positive), "they lean to one side: {positive}");
    }
}
