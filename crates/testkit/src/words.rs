//! Made-up English: sentences of common words in an order that means nothing.

use crate::Dice;

/// Common words, each of which is one token of the [tiny model](crate::tiny_model).
#[rustfmt::skip]
pub const WORDS: &[&str] = &[
    "the", "of", "and", "to", "in", "is", "that", "it", "was", "for", "on", "are", "with", "as",
    "at", "be", "this", "from", "have", "or", "by", "one", "had", "not", "but", "what", "all",
    "were", "when", "we", "there", "can", "an", "your", "which", "their", "said", "if", "do",
    "will", "each", "about", "how", "up", "out", "them", "then", "she", "many", "some", "so",
    "these", "would", "other", "into", "has", "more", "her", "two", "like", "him", "see", "time",
    "could", "no", "make", "than", "first", "been", "its", "who", "now", "people", "my", "made",
    "over", "did", "down", "only", "way", "find", "use", "may", "water", "long", "little", "very",
    "after", "words", "called", "just", "where", "most", "know", "acid", "airport", "anchor",
    "apple", "archive", "autumn", "bakery", "balance", "bank", "barley", "basket", "battery",
    "beach", "bell", "bicycle", "bird", "blanket", "boat", "book", "border", "bottle", "branch",
    "bread", "bridge", "brother", "budget", "butter", "cable", "camera", "candle", "canvas",
    "carbon", "castle", "cat", "cell", "chair", "cheese", "cherry", "chess", "child", "circle",
    "city", "clock", "cloud", "coast", "coffee", "color", "compass", "concert", "contract",
    "copper", "corner", "cotton", "court", "crystal", "cup", "curtain", "dance", "data", "debt",
    "desert", "dinner", "doctor", "door", "dragon", "dream", "dust", "eagle", "east", "echo",
    "egg", "election", "electric", "engine", "evening", "factory", "farm", "father", "feather",
    "fence", "ferry", "field", "fire", "fish", "flour", "flower", "forest", "fountain", "fox",
    "friend", "frost", "fruit", "garden", "garlic", "gate", "ghost", "glass", "gold", "grain",
    "grammar", "grass", "guitar", "hammer", "harbor", "harvest", "heart", "hill", "honey", "horse",
    "hospital", "hotel", "house", "ice", "ink", "insect", "invoice", "iron", "island", "jacket",
    "journey", "judge", "juice", "jungle", "kettle", "key", "king", "kitchen", "knife", "ladder",
    "lake", "lamp", "lantern", "law", "leaf", "lemon", "letter", "library", "light", "lion",
    "magnet", "map", "market", "meadow", "memory", "metal", "milk", "mirror", "money", "moon",
    "morning", "mother", "mountain", "music", "needle", "night", "north", "notebook", "novel",
    "ocean", "office", "oil", "onion", "orange", "orchard", "oven", "owl", "oxygen", "paint",
    "paper", "passport", "pencil", "pepper", "piano", "picture", "pipe", "planet", "plant",
    "pocket", "poem", "pond", "potato", "price", "prison", "queen", "rabbit", "radio", "rain",
    "recipe", "report", "rice", "ring", "river", "road", "robot", "roof", "rope", "rose", "salt",
    "sand", "school", "science", "sea", "seed", "shadow", "sheep", "ship", "shoe", "silver",
    "snow", "soap", "soil", "song", "soup", "south", "spider", "spoon", "spring", "star",
    "station", "stone", "storm", "street", "sugar", "summer", "sun", "table", "tax", "teacher",
    "temple", "theatre", "thunder", "ticket", "tiger", "tomato", "tool", "tower", "train", "tree",
    "tunnel", "umbrella", "valley", "velvet", "village", "violin", "wall", "war", "watch", "wave",
    "west", "wheat", "wheel", "wind", "window", "wine", "winter", "wolf", "wood", "wool", "yard",
];

/// That many sentences of 4 to 16 words, five to a paragraph. One seed gives one text.
pub fn prose(sentences: usize, seed: u64) -> String {
    let mut dice = Dice::new(seed);
    let mut text = String::new();
    for ordinal in 0..sentences {
        if ordinal > 0 {
            text.push_str(if ordinal % 5 == 0 { "\n\n" } else { " " });
        }
        let words: Vec<&str> = (0..4 + dice.below(13)).map(|_| *dice.pick(WORDS)).collect();
        let sentence = words.join(" ");
        text.push_str(&sentence[..1].to_uppercase());
        text.push_str(&sentence[1..]);
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_gives_one_text() {
        assert_eq!(prose(12, 3), prose(12, 3));
        assert_ne!(prose(12, 3), prose(12, 4));
        assert_eq!(prose(12, 3).matches('.').count(), 12);
        assert_eq!(prose(0, 3), "");
    }

    #[test]
    fn no_word_is_listed_twice() {
        assert_eq!(WORDS.iter().collect::<HashSet<_>>().len(), WORDS.len());
        assert!(WORDS.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())));
    }
}
