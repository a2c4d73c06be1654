//! From a path to what the file says. Reading is here, so that a file that hangs
//! or a parser that dies takes this process alone; which text a file holds is
//! `rummage_extract`'s to know.

use std::{
    any::Any,
    fs::{File, OpenOptions},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::{Duration, Instant},
};

use rummage_corpus::ContentHash;
use rummage_extract::{Eyes, Means, NoText};
use rummage_protocol::{ExtractRequest, Extracted, Outcome, Reply, SkipReason};

use crate::ocr::Tesseract;

/// Reads the file and finds its text. A damaged file and a parser's panic fail the
/// lease.
pub fn extract(request: &ExtractRequest) -> Reply {
    let lease = request.lease;
    match outcome(request) {
        Ok(outcome) => Reply::Extracted(Box::new(Extracted { lease, outcome })),
        Err(Refused(reason)) => Reply::Failed { lease, reason },
    }
}

/// No parser makes anything of the file, for this reason.
struct Refused(String);

fn outcome(request: &ExtractRequest) -> Result<Outcome, Refused> {
    let until = Instant::now() + Duration::from_millis(request.patience_ms);
    let path = &request.path;
    let bytes = match read(path.as_path(), request.max_bytes) {
        Ok(Contents::Whole(bytes)) => bytes,
        Ok(Contents::Skipped(reason)) => return Ok(Outcome::Skipped(reason)),
        Ok(Contents::PastMemory(bytes)) => {
            let megabytes = bytes >> 20;
            return Err(Refused(format!("its {megabytes} MB are more than a worker may hold")));
        }
        Err(error) => {
            let missing = error.kind() == io::ErrorKind::NotFound;
            return Ok(Outcome::Unreadable { reason: error.to_string(), missing });
        }
    };
    if bytes.is_empty() {
        return Ok(Outcome::Skipped(SkipReason::Empty));
    }
    let hash = ContentHash::of(&bytes);
    let tesseract = request.ocr.as_deref().and_then(Tesseract::find);
    let eyes = tesseract.as_ref().map(|tesseract| tesseract as &dyn Eyes);
    let means = Means { eyes, until: Some(until) };
    // After a panic nothing is left half-changed.
    let extract = || rummage_extract::extract_with(path, &bytes, means);
    let extraction = catch_unwind(AssertUnwindSafe(extract))
        .map_err(|panic| Refused(format!("the parser gave up: {}", words(panic.as_ref()))))?;
    Ok(match extraction {
        Ok(document) => Outcome::Text { hash, document },
        Err(NoText::Empty) => Outcome::Skipped(SkipReason::Empty),
        Err(NoText::Binary) => Outcome::Skipped(SkipReason::Binary),
        Err(NoText::NeedsOcr) if request.ocr.is_some() && tesseract.is_none() => {
            Outcome::Skipped(SkipReason::NeedsTesseract)
        }
        Err(NoText::NeedsOcr) => Outcome::Skipped(SkipReason::NeedsOcr),
        Err(NoText::OtherPicture) => Outcome::Skipped(SkipReason::OtherPicture),
        Err(NoText::Protected) => Outcome::Skipped(SkipReason::Protected),
        Err(NoText::UnpacksTooLarge { limit }) => {
            Outcome::Skipped(SkipReason::UnpacksTooLarge { limit })
        }
        Err(reason @ (NoText::Damaged { .. } | NoText::Unrecognised { .. })) => {
            return Err(Refused(reason.to_string()));
        }
    })
}

enum Contents {
    Whole(Vec<u8>),
    Skipped(SkipReason),
    /// So many bytes find no room in this process.
    PastMemory(u64),
}

fn read(path: &Path, limit: u64) -> io::Result<Contents> {
    let file = match open(path) {
        Ok(file) => file,
        // A socket, for one, cannot even be opened.
        Err(error) => match path.metadata() {
            Ok(found) if !found.is_file() => return Ok(Contents::Skipped(SkipReason::NotAFile)),
            _ => return Err(error),
        },
    };
    // Of the open file, since the path may name another by now.
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Contents::Skipped(SkipReason::NotAFile));
    }
    let too_large = |bytes| Ok(Contents::Skipped(SkipReason::TooLarge { bytes, limit }));
    if metadata.len() > limit {
        return too_large(metadata.len());
    }
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(metadata.len() as usize).is_err() {
        return Ok(Contents::PastMemory(metadata.len()));
    }
    // The file may grow while it is read, without end if it is a log.
    (&file).take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return too_large(file.metadata()?.len().max(bytes.len() as u64));
    }
    Ok(Contents::Whole(bytes))
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    // A pipe without a writer would hang; for a regular file it changes nothing.
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use rummage_corpus::Caveat;
    use rummage_testkit::Tree;

    use super::*;

    const LIMIT: u64 = 64;

    fn request(tree: &Tree, name: &str) -> ExtractRequest {
        ExtractRequest {
            lease: 3,
            path: tree.source(name),
            max_bytes: LIMIT,
            ocr: None,
            patience_ms: 60_000,
        }
    }

    fn outcome_of(tree: &Tree, name: &str) -> Outcome {
        match extract(&request(tree, name)) {
            Reply::Extracted(extracted) if extracted.lease == 3 => extracted.outcome,
            other => panic!("{name}: {other:?}"),
        }
    }

    fn check(contents: impl AsRef<[u8]>, expected: SkipReason) {
        let tree = Tree::with([("file.txt", contents)]);
        assert_eq!(outcome_of(&tree, "file.txt"), Outcome::Skipped(expected));
    }

    #[test]
    fn a_text_comes_with_the_hash_of_its_bytes() {
        let tree = Tree::with([("notes.txt", "lemon and salt")]);
        let Outcome::Text { hash, document } = outcome_of(&tree, "notes.txt") else {
            panic!("a text has text");
        };
        assert_eq!(hash, ContentHash::of(b"lemon and salt"));
        assert_eq!(document.text, "lemon and salt");
    }

    #[test]
    fn what_holds_nothing_to_search_is_skipped_by_reason() {
        check("", SkipReason::Empty);
        check(" \n\t\n ", SkipReason::Empty);
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", SkipReason::NeedsOcr);
        check(b"\x7fELF\x02\x01", SkipReason::Binary);
        check([b'a'; LIMIT as usize + 1], SkipReason::TooLarge { bytes: LIMIT + 1, limit: LIMIT });
    }

    #[test]
    fn a_damaged_file_is_refused_by_reason() {
        let tree = Tree::with([("file.docx", "PK\x03\x04 and no more")]);
        let Reply::Failed { lease: 3, reason } = extract(&request(&tree, "file.docx")) else {
            panic!("a damaged file has no text")
        };
        assert!(reason.starts_with("this Word document is damaged"), "{reason}");
    }

    #[test]
    fn a_file_of_just_the_limit_is_read() {
        let tree = Tree::with([("file.txt", [b'a'; LIMIT as usize])]);
        assert!(matches!(outcome_of(&tree, "file.txt"), Outcome::Text { .. }));
    }

    #[test]
    fn a_missing_file_is_told_from_one_that_cannot_be_read() {
        let tree = Tree::with([("file.txt", "text")]);
        let missing = |name| match outcome_of(&tree, name) {
            Outcome::Unreadable { missing, .. } => missing,
            other => panic!("{name}: {other:?}"),
        };
        assert!(missing("nowhere.txt"));
        assert!(!missing("file.txt/below"));
    }

    /// Reads one of the files that come with the tests, with OCR.
    fn look_at(name: &str) -> Reply {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name);
        let ocr = Some("eng".to_owned());
        extract(&ExtractRequest {
            lease: 3,
            path: path.into(),
            max_bytes: 1 << 20,
            ocr,
            patience_ms: 600_000,
        })
    }

    #[test]
    fn tesseract_reads_pictures_and_scanned_pages() {
        if Tesseract::find("eng").is_none() {
            eprintln!("skipped: Tesseract is not installed");
            return;
        }
        for (name, expected) in [
            ("letters.png", "violet umbrellas"),
            ("scan.pdf", "copper kettles\n\nviolet umbrellas"),
        ] {
            let Reply::Extracted(extracted) = look_at(name) else { panic!("{name}") };
            let Outcome::Text { document, .. } = extracted.outcome else { panic!("{name}") };
            assert_eq!(document.text, expected, "{name}");
            assert_eq!(document.caveats, [Caveat::Recognised { pages: 1 }], "{name}");
        }
    }

    #[test]
    fn a_folder_is_no_file() {
        let tree = Tree::with([("folder/file.txt", "text")]);
        assert_eq!(outcome_of(&tree, "folder"), Outcome::Skipped(SkipReason::NotAFile));
    }

    #[cfg(unix)]
    #[test]
    fn pipes_sockets_and_devices_are_no_files_and_do_not_hang() {
        let tree = Tree::new();
        let pipe = std::ffi::CString::new(tree.path("pipe").to_str().unwrap()).unwrap();
        // SAFETY: the path ends in a zero byte.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        let _socket = std::os::unix::net::UnixListener::bind(tree.path("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", tree.path("device")).unwrap();
        for name in ["pipe", "socket", "device"] {
            assert_eq!(outcome_of(&tree, name), Outcome::Skipped(SkipReason::NotAFile), "{name}");
        }
    }
}
