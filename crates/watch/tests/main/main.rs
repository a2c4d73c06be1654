//! Scans, looks and watches of real folders, each test in one of its own.

mod following;
mod scanning;
mod tree;
