//! Folders to files and changes: what lies below a root now, what a single path
//! is now, and what a person does there later. The only user of `notify` and
//! `ignore`.
//!
//! It does not know what a file says, which files are known already, or what
//! becomes of a change. It never opens a file, apart from ignore files.
//!
//! What a root holds is decided in this order:
//!
//! 1. The root itself is always in, whatever its name: a person chose it.
//! 2. The app-wide patterns of [`Rules`], from the settings.
//! 3. Names that begin with a dot are out.
//! 4. Ignore files in the root and below it: `.rummageignore`, then `.ignore`,
//!    then `.gitignore`, whether or not the folder is a git repository. Ignore
//!    files above the root do not count.
//! 5. Symbolic links, pipes, sockets and devices are out. The root may be a link.
//!
//! What is left out is told, with the rule: a folder as a whole.

mod error;
mod layers;
mod look;
mod pending;
mod remote;
mod rules;
mod scan;
mod watcher;
mod watches;

pub use error::WatchError;
pub use look::{Lookout, Seen, look};
pub use pending::Pace;
pub use rules::{Rule, Rules};
pub use scan::{FileStamp, Found, scan, scan_below};
pub use watcher::{Change, RescanReason, Watcher};
