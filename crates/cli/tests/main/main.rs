//! The real program with real workers and a tiny real model: what it prints, what
//! it survives and how it says so.

mod command;
mod everyday;
mod marks;
mod measuring;
mod models;
mod trouble;
