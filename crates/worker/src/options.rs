//! The command line. It does not look whether the paths in it exist.

use std::{ffi::OsString, num::NonZeroUsize, path::PathBuf};

use rummage_protocol::Provider;

/// What the command line looks like.
pub const USAGE: &str = "\
usage: rummage-worker --role extract [--memory-limit BYTES] [--nice LEVEL]
       rummage-worker --role embed --model FOLDER [--model FOLDER]... --runtime LIBRARY --threads COUNT
                      [--provider NAME [--own-runtime LIBRARY]] [--nice LEVEL]

Started by Rummage, not by hand: it speaks in frames on stdin and stdout.";

/// The whole command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    pub options: Options,
    pub manners: Manners,
}

/// What a worker was started to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Options {
    Extract,
    Embed(EmbedOptions),
}

/// What the process may take of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manners {
    /// How much it gives way to others, from 0 to 19.
    pub nice: Option<u8>,
    /// More memory than this is refused to it.
    pub memory_limit_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedOptions {
    /// The folders of the models to load, at least one.
    pub models: Vec<PathBuf>,
    /// The dynamic library of ONNX Runtime.
    pub runtime: PathBuf,
    /// What the models are to run on.
    pub provider: Provider,
    /// Another such library, to be loaded instead where it can be.
    pub own_runtime: Option<PathBuf>,
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
    #[error("{} is no provider", .0.display())]
    Provider(OsString),
    #[error("{} is no count of threads from 1", .0.display())]
    Threads(OsString),
    #[error("{} is no level from 0 to 19", .0.display())]
    Nice(OsString),
    #[error("{} is no number of bytes", .0.display())]
    Bytes(OsString),
}

const ROLE: &str = "--role";
const MODEL: &str = "--model";
const RUNTIME: &str = "--runtime";
const PROVIDER: &str = "--provider";
const OWN_RUNTIME: &str = "--own-runtime";
const THREADS: &str = "--threads";
const NICE: &str = "--nice";
const MEMORY_LIMIT: &str = "--memory-limit";
const ALL: [&str; 8] = [ROLE, MODEL, RUNTIME, PROVIDER, OWN_RUNTIME, THREADS, NICE, MEMORY_LIMIT];

impl Arguments {
    /// The arguments, the program's name taken off.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut given = Given::collect(arguments)?;
        let role = given.take(ROLE)?;
        let options = match role.to_str() {
            Some("extract") => Options::Extract,
            Some("embed") => Options::Embed(EmbedOptions {
                models: given.take_all(MODEL)?.into_iter().map(PathBuf::from).collect(),
                runtime: given.take(RUNTIME)?.into(),
                provider: given.take_any(PROVIDER).map_or(Ok(Provider::Cpu), provider)?,
                own_runtime: given.take_any(OWN_RUNTIME).map(PathBuf::from),
                threads: count(given.take(THREADS)?)?,
            }),
            _ => return Err(UsageError::Role(role)),
        };
        let nice = given.take_any(NICE).map(level).transpose()?;
        let memory_limit_bytes = match options {
            // The runtime is measured from outside, and not stopped in mid-call.
            Options::Embed(_) => None,
            Options::Extract => given.take_any(MEMORY_LIMIT).map(bytes).transpose()?,
        };
        match given.0.first() {
            Some((name, _)) => Err(UsageError::Unfitting(name)),
            None => Ok(Self { options, manners: Manners { nice, memory_limit_bytes } }),
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
            let known = ALL.into_iter().find(|name| argument == *name);
            let name = known.ok_or(UsageError::Unknown(argument))?;
            if name != MODEL && given.0.iter().any(|(taken, _)| *taken == name) {
                return Err(UsageError::Twice(name));
            }
            given.0.push((name, arguments.next().ok_or(UsageError::NoValue(name))?));
        }
        Ok(given)
    }

    fn take(&mut self, name: &'static str) -> Result<OsString, UsageError> {
        self.take_any(name).ok_or(UsageError::Missing(name))
    }

    /// All values of an option that may be given more than once, in their order.
    fn take_all(&mut self, name: &'static str) -> Result<Vec<OsString>, UsageError> {
        let (of_name, others): (Vec<_>, Vec<_>) =
            self.0.drain(..).partition(|(given, _)| *given == name);
        self.0 = others;
        let values: Vec<_> = of_name.into_iter().map(|(_, value)| value).collect();
        if values.is_empty() { Err(UsageError::Missing(name)) } else { Ok(values) }
    }

    fn take_any(&mut self, name: &'static str) -> Option<OsString> {
        let at = self.0.iter().position(|(given, _)| *given == name)?;
        // Those that may be given more than once keep their order.
        Some(self.0.remove(at).1)
    }
}

fn provider(value: OsString) -> Result<Provider, UsageError> {
    value.to_str().and_then(Provider::of_name).ok_or(UsageError::Provider(value))
}

fn level(value: OsString) -> Result<u8, UsageError> {
    let level = value.to_str().and_then(|text| text.parse().ok());
    level.filter(|level| *level <= 19).ok_or(UsageError::Nice(value))
}

fn bytes(value: OsString) -> Result<u64, UsageError> {
    value.to_str().and_then(|text| text.parse().ok()).ok_or(UsageError::Bytes(value))
}

fn count(value: OsString) -> Result<NonZeroUsize, UsageError> {
    value.to_str().and_then(|text| text.parse().ok()).ok_or(UsageError::Threads(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Options, UsageError>) {
        let parsed = Arguments::parse(line.split_whitespace().map(OsString::from));
        assert_eq!(parsed.map(|arguments| arguments.options), expected, "{line}");
    }

    #[test]
    fn manners_are_read_where_they_fit() {
        let line = "--nice 10 --role extract --memory-limit 4096";
        let manners = Manners { nice: Some(10), memory_limit_bytes: Some(4096) };
        let parsed = Arguments::parse(line.split_whitespace().map(OsString::from));
        assert_eq!(parsed, Ok(Arguments { options: Options::Extract, manners }));
        check("--role extract --nice 20", Err(UsageError::Nice("20".into())));
        check("--role extract --memory-limit much", Err(UsageError::Bytes("much".into())));
        let embed = "--role embed --model m --runtime r --threads 1 --memory-limit 1";
        check(embed, Err(UsageError::Unfitting("--memory-limit")));
    }

    #[test]
    fn both_roles_are_read() {
        check("--role extract", Ok(Options::Extract));
        let embed = EmbedOptions {
            models: vec!["/m".into(), "/a".into()],
            runtime: "/r.so".into(),
            provider: Provider::Cpu,
            own_runtime: None,
            threads: NonZeroUsize::new(2).unwrap(),
        };
        let line = "--threads 2 --role embed --model /m --runtime /r.so --model /a";
        check(line, Ok(Options::Embed(embed.clone())));
        let (provider, own_runtime) = (Provider::OpenVino, Some("/own.so".into()));
        let embed = EmbedOptions { provider, own_runtime, ..embed };
        let line = format!("{line} --provider openvino --own-runtime /own.so");
        check(&line, Ok(Options::Embed(embed)));
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
        let line = format!("{} --provider abacus", threads("1"));
        check(&line, Err(UsageError::Provider("abacus".into())));
    }
}
