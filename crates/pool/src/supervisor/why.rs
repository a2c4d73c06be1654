//! Why a worker had to go, in words for people.

use std::{fmt, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Past the soft limit: replaced once its successor is ready.
    SoftMemory {
        bytes: u64,
        limit: u64,
    },
    /// Past the hard limit: killed at once.
    HardMemory {
        bytes: u64,
        limit: u64,
    },
    /// It has done as much as one worker does.
    Passages(u64),
    /// Replaced ahead of time, while nothing waits for it.
    Worn,
    /// Started with other settings than those that hold now.
    Settings,
    /// Other models are to be loaded than it has.
    OtherModels,
    /// Nothing has been to do for a while.
    Idle,
    /// Fewer are wanted now.
    Surplus,
    /// The pool ends.
    Closing,
    StartedTooLong(Duration),
    /// A lease took longer than its deadline.
    Overdue(Duration),
    /// A file took longer to read than the limit.
    SlowFile(Duration),
    /// Told to end, it did not.
    Stayed(Duration),
    /// Its handshake does not fit.
    Handshake,
    /// It ended by itself; with its last words.
    Crash(String),
}

impl Why {
    /// It had to be replaced, by intent; the others that are no crash leave nothing
    /// to be replaced.
    pub const fn is_planned_restart(&self) -> bool {
        matches!(
            self,
            Self::SoftMemory { .. }
                | Self::Passages(_)
                | Self::Worn
                | Self::Settings
                | Self::OtherModels
        )
    }

    /// Something went wrong.
    pub const fn is_crash(&self) -> bool {
        matches!(
            self,
            Self::HardMemory { .. }
                | Self::StartedTooLong(_)
                | Self::Overdue(_)
                | Self::SlowFile(_)
                | Self::Stayed(_)
                | Self::Handshake
                | Self::Crash(_)
        )
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mb = |bytes: &u64| bytes >> 20;
        match self {
            Self::SoftMemory { bytes, limit } => {
                write!(f, "it held {} MB, past its limit of {} MB", mb(bytes), mb(limit))
            }
            Self::HardMemory { bytes, limit } => {
                write!(f, "it took {} MB, past its hard limit of {} MB", mb(bytes), mb(limit))
            }
            Self::Passages(passages) => write!(f, "it had done {passages} passages"),
            Self::Worn => f.write_str("renewed while nothing was to do"),
            Self::Settings => f.write_str("settings have changed"),
            Self::OtherModels => f.write_str("other models are used now"),
            Self::Idle => f.write_str("nothing was to do"),
            Self::Surplus => f.write_str("fewer workers were wanted"),
            Self::Closing => f.write_str("Rummage ended"),
            Self::StartedTooLong(limit) => {
                write!(f, "it was not ready within {} s", limit.as_secs())
            }
            Self::Overdue(limit) => write!(f, "it did not answer within {} s", limit.as_secs()),
            Self::SlowFile(limit) => {
                write!(f, "reading the file took longer than {} s", limit.as_secs())
            }
            Self::Stayed(limit) => {
                write!(f, "it did not end within {} s of being told to", limit.as_secs())
            }
            Self::Handshake => f.write_str("its handshake does not fit"),
            Self::Crash(last_words) => f.write_str(last_words),
        }
    }
}
