//! Extraction as a whole, on files made to do harm.

#[path = "main/hostile.rs"]
mod hostile;
#[path = "main/mutated.rs"]
mod mutated;
#[path = "main/scanned.rs"]
mod scanned;
#[path = "main/seeds.rs"]
mod seeds;
