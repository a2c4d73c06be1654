//! Profiles: where the time of loading and of indexing goes, whether it became more,
//! and a picture of it.

pub mod calibration;
pub mod gate;
pub mod picture;
pub mod report;
pub mod summary;
