//! Where a text came from.

use std::{
    borrow::Cow,
    ffi::OsStr,
    fmt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The absolute path of a file or folder, whatever bytes its name holds.
///
/// A name need not be UTF-8: on Unix its bytes are kept as they are, so that the
/// file can always be opened again; elsewhere the standard library's own
/// encoding of names is kept where it is UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourcePath(PathBuf);

impl SourcePath {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// The path as bytes, for storing. [`SourcePath::from_bytes`] takes them back.
    pub fn to_bytes(&self) -> Cow<'_, [u8]> {
        bytes_of(self.0.as_os_str())
    }

    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(path_from(bytes))
    }

    /// For people to read: bytes that are not UTF-8 show as `�`.
    pub fn display(&self) -> std::path::Display<'_> {
        self.0.display()
    }

    /// The file's name, for people to read.
    pub fn name(&self) -> Cow<'_, str> {
        self.0.file_name().map_or_else(|| self.0.to_string_lossy(), OsStr::to_string_lossy)
    }

    /// The extension in lower case without its dot; empty where there is none.
    pub fn extension(&self) -> String {
        self.0
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase())
            .unwrap_or_default()
    }
}

#[cfg(unix)]
fn bytes_of(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Borrowed(std::os::unix::ffi::OsStrExt::as_bytes(name))
}

#[cfg(unix)]
fn path_from(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

#[cfg(not(unix))]
fn bytes_of(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Owned(name.to_string_lossy().into_owned().into_bytes())
}

#[cfg(not(unix))]
fn path_from(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

impl fmt::Debug for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AsRef<Path> for SourcePath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for SourcePath {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl From<&Path> for SourcePath {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Serialize for SourcePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for SourcePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(|bytes| Self::from_bytes(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf8_survives_storing() {
        let path = SourcePath::from_bytes(b"/tmp/caf\xe9 \n.txt");
        assert_eq!(path.to_bytes().as_ref(), b"/tmp/caf\xe9 \n.txt");
        assert_eq!(SourcePath::from_bytes(&path.to_bytes()), path);
    }

    #[test]
    fn the_extension_is_lower_case() {
        assert_eq!(SourcePath::new("/a/B.MD").extension(), "md");
        assert_eq!(SourcePath::new("/a/Makefile").extension(), "");
    }
}
