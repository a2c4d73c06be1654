//! The command line. It does not look whether the paths in it exist.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

/// What the command line looks like.
pub const USAGE: &str = "\
usage: rummage-worker --role extract
       rummage-worker --role embed --model FOLDER --runtime LIBRARY --threads COUNT

Started by Rummage, not by hand: it speaks in frames on stdin and stdout.";

/// What a worker was started to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Options {
    Extract,
    Embed(EmbedOptions),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedOptions {
    /// The folder of the model.
    pub model: PathBuf,
    /// The dynamic library of ONNX Runtime.
    pub runtime: PathBuf,
    /// Threads that one model call uses.
    pub threads: NonZeroUsize,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    #[error("{} is no option", .0.display())]
    Unknown(OsString),
    #[error("{0} wants a value")]
    NoValue(&'static str),
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} does not go with this role")]
    Unfitting(&'static str),
    #[error("the role {} is neither extract nor embed", .0.display())]
    Role(OsString),
    #[error("{} is no count of threads from 1", .0.display())]
    Threads(OsString),
}

const ROLE: &str = "--role";
const MODEL: &str = "--model";
const RUNTIME: &str = "--runtime";
const THREADS: &str = "--threads";

impl Options {
    /// The arguments, the program's name taken off.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut given = Given::collect(arguments)?;
        let role = given.take(ROLE)?;
        let options = match role.to_str() {
            Some("extract") => Self::Extract,
            Some("embed") => Self::Embed(EmbedOptions {
                model: given.take(MODEL)?.into(),
                runtime: given.take(RUNTIME)?.into(),
                threads: count(given.take(THREADS)?)?,
            }),
            _ => return Err(UsageError::Role(role)),
        };
        match given.0.first() {
            Some((name, _)) => Err(UsageError::Unfitting(name)),
            None => Ok(options),
        }
    }
}

/// Options with their values, as they stand on the command line.
struct Given(Vec<(&'static str, OsString)>);

impl Given {
    fn collect(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut arguments = arguments.into_iter();
        let mut given = Self(Vec::new());
        while let Some(argument) = arguments.next() {
            let known = [ROLE, MODEL, RUNTIME, THREADS].into_iter().find(|name| argument == *name);
            let name = known.ok_or(UsageError::Unknown(argument))?;
            if given.0.iter().any(|(taken, _)| *taken == name) {
                return Err(UsageError::Twice(name));
            }
            given.0.push((name, arguments.next().ok_or(UsageError::NoValue(name))?));
        }
        Ok(given)
    }

    fn take(&mut self, name: &'static str) -> Result<OsString, UsageError> {
        let at = self.0.iter().position(|(given, _)| *given == name);
        Ok(self.0.swap_remove(at.ok_or(UsageError::Missing(name))?).1)
    }
}

fn count(value: OsString) -> Result<NonZeroUsize, UsageError> {
    value.to_str().and_then(|text| text.parse().ok()).ok_or(UsageError::Threads(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Options, UsageError>) {
        assert_eq!(Options::parse(line.split_whitespace().map(OsString::from)), expected, "{line}");
    }

    #[test]
    fn both_roles_are_read() {
        check("--role extract", Ok(Options::Extract));
        let embed = EmbedOptions {
            model: "/m".into(),
            runtime: "/r.so".into(),
            threads: NonZeroUsize::new(2).unwrap(),
        };
        let line = "--threads 2 --role embed --model /m --runtime /r.so";
        check(line, Ok(Options::Embed(embed)));
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        check("", Err(UsageError::Missing("--role")));
        check("--role", Err(UsageError::NoValue("--role")));
        check("--role dance", Err(UsageError::Role("dance".into())));
        check("--fast", Err(UsageError::Unknown("--fast".into())));
        check("--role extract --role embed", Err(UsageError::Twice("--role")));
        check("--role extract --model /m", Err(UsageError::Unfitting("--model")));
        check("--role embed --model /m", Err(UsageError::Missing("--runtime")));
        let threads = |count: &str| format!("--role embed --model m --runtime r --threads {count}");
        check(&threads("0"), Err(UsageError::Threads("0".into())));
        check(&threads("many"), Err(UsageError::Threads("many".into())));
    }
}
