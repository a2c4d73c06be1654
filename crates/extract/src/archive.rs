//! Archives (ZIP, TAR, and either or a single file in gzip), one level deep: each
//! file in them that holds text is a part of the document, under its path.

use std::io::{Cursor, Read};

use flate2::read::MultiGzDecoder;
use rummage_corpus::{Caveat, Document, SourcePath};

use crate::{
    Depth, Means, NoText, binary, encoding,
    format::{self, Format},
    joined::Joined,
    package::{Budget, Package},
};

/// Enough of a file to tell that it holds no text, without unpacking the rest.
const HEAD_BYTES: u64 = 64 << 10;

pub(crate) fn read_zip(
    path: &SourcePath,
    bytes: &[u8],
    budget: &Budget,
) -> Result<Document, NoText> {
    let mut package = Package::open(meant(path), bytes, budget)?;
    let mut members = Members::default();
    for name in package.names() {
        let member = package.entry(&name, |entry| unpack(&name, entry, budget));
        members.push(&name, member.and_then(|document| document))?;
    }
    members.finish()
}

/// What a ZIP file should have been, should it be damaged.
fn meant(path: &SourcePath) -> &'static str {
    match path.extension().as_str() {
        "docx" => "Word document",
        "pptx" => "PowerPoint presentation",
        "xlsx" => "Excel workbook",
        "odp" | "ods" | "odt" => "OpenDocument file",
        "epub" => "EPUB book",
        _ => "ZIP archive",
    }
}

const TAR: &str = "TAR archive";

pub(crate) fn read_tar(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    let damaged =
        |error: std::io::Error| NoText::Damaged { format: TAR, reason: error.to_string() };
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let mut members = Members::default();
    for entry in archive.entries().map_err(damaged)? {
        let entry = match entry {
            Ok(entry) => entry,
            // Cut off: what came before is sound.
            Err(error) if members.is_empty() => return Err(damaged(error)),
            Err(_) => break,
        };
        if entry.header().entry_type().is_file() {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            members.push(&name, unpack(&name, entry, budget))?;
        }
    }
    members.finish()
}

pub(crate) fn read_gzip(
    path: &SourcePath,
    bytes: &[u8],
    budget: &Budget,
) -> Result<Document, NoText> {
    let inner = budget.read("gzip file", MultiGzDecoder::new(bytes))?;
    // `notes.txt.gz` holds `notes.txt`.
    let inner_path = SourcePath::new(path.as_path().with_extension(""));
    match format::of(&inner_path, &inner) {
        Format::Tar => read_tar(&inner, budget),
        _ => crate::read(&inner_path, &inner, Depth::Inside, budget, Means::default()),
    }
}

/// The document in one file of an archive.
fn unpack(name: &str, mut entry: impl Read, budget: &Budget) -> Result<Document, NoText> {
    const FILE: &str = "packed file";
    let path = SourcePath::new(name);
    let mut bytes = budget.read(FILE, (&mut entry).take(HEAD_BYTES))?;
    if bytes.len() as u64 == HEAD_BYTES {
        match format::of(&path, &bytes) {
            Format::Image => return Err(NoText::NeedsOcr),
            Format::OtherImage => return Err(NoText::OtherPicture),
            Format::Text if binary::has_magic(&bytes) || encoding::decode(&bytes).is_none() => {
                return Err(NoText::Binary);
            }
            _ => bytes.extend(budget.read(FILE, entry)?),
        }
    }
    crate::read(&path, &bytes, Depth::Inside, budget, Means::default())
}

/// The files of an archive as far as they were read.
#[derive(Default)]
struct Members {
    joined: Joined,
    read: usize,
    /// Those without text, empty ones left out.
    unread: usize,
    /// Why the first of them has none.
    reason: Option<NoText>,
}

impl Members {
    fn is_empty(&self) -> bool {
        self.read == 0 && self.unread == 0
    }

    /// A file without text is passed over; an archive past all bounds is given up.
    fn push(&mut self, name: &str, member: Result<Document, NoText>) -> Result<(), NoText> {
        match member {
            Ok(document) => {
                self.joined.push(1, name, document);
                self.read += 1;
            }
            Err(reason @ NoText::UnpacksTooLarge { .. }) => return Err(reason),
            Err(NoText::Empty) => {}
            Err(reason) => {
                self.unread += 1;
                self.reason.get_or_insert(reason);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Document, NoText> {
        match self.reason {
            Some(reason) if self.read == 0 => Err(reason),
            _ => {
                let caveat = Caveat::unread(self.unread, self.read + self.unread);
                Ok(Document { caveats: caveat.into_iter().collect(), ..self.joined.finish() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};
    use rummage_corpus::Structure;

    use super::*;
    use crate::{extract, package::testing::zip};

    fn tar(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in entries {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: Result<&str, NoText>) {
        let found = extract(&SourcePath::new(name), bytes).map(|document| document.text);
        assert_eq!(found, expected.map(str::to_owned), "{name}");
    }

    #[test]
    fn every_text_in_an_archive_is_read_under_its_path() {
        let files = [("a/one.txt", "lemon"), ("empty", ""), ("two.html", "<p>salt")];
        let expected = "a/one.txt\n\nlemon\n\ntwo.html\n\nsalt";
        check("a.zip", &zip(files), Ok(expected));
        check("a.tar", &tar(&files), Ok(expected));
        check("a.tgz", &gzip(&tar(&files)), Ok(expected));
        check("notes.txt.gz", &gzip(b"lemon"), Ok("lemon"));
    }

    #[test]
    fn each_file_keeps_its_structure() {
        let bytes = zip([("a.txt", "words"), ("b.md", "# Title")]);
        let document = extract(&SourcePath::new("a.zip"), &bytes).unwrap();
        assert_eq!(document.parts.len(), 1);
        assert_eq!(document.parts[0].structure, Structure::Markdown);
    }

    #[test]
    fn archives_in_archives_stay_shut() {
        let inner = zip([("a.txt", "hidden")]);
        check("a.zip", &zip([("b.zip", inner.clone())]), Err(NoText::Binary));
        check(
            "a.zip",
            &zip([("b.zip", inner.clone()), ("c.txt", b"seen".to_vec())]),
            Ok("c.txt\n\nseen"),
        );
        check("a.gz", &gzip(&inner), Err(NoText::Binary));
        check("a.gz", &gzip(&gzip(b"text")), Err(NoText::Binary));
    }

    #[test]
    fn an_archive_says_how_much_of_it_is_not_read() {
        let files =
            [("a.txt", &b"one"[..]), ("b.png", b"\x89PNG\r\n\x1a\n"), ("c", b"\0"), ("d", b"")];
        let caveats = |bytes: &[u8]| extract(&SourcePath::new("a.zip"), bytes).unwrap().caveats;
        assert_eq!(caveats(&zip(files)), [Caveat::Unread { files: 2, of: 3 }]);
        assert_eq!(caveats(&zip([files[0], files[3]])), []);
    }

    #[test]
    fn an_archive_without_text_says_why() {
        let png = b"\x89PNG\r\n\x1a\n".to_vec();
        check("a.zip", &zip([("a.png", png)]), Err(NoText::NeedsOcr));
        check("a.zip", &zip([("a.txt", "")]), Err(NoText::Empty));
        check("a.zip", &zip([] as [(&str, &str); 0]), Err(NoText::Empty));
    }

    #[test]
    fn a_cut_archive_is_damaged_or_read_as_far_as_it_goes() {
        let files = [("one.txt", "lemon"), ("two.txt", "salt")];
        let cut = |bytes: Vec<u8>, length| bytes[..length].to_vec();
        let found = |name, bytes: Vec<u8>| extract(&SourcePath::new(name), &bytes);
        let is_damaged = |found| matches!(found, Err(NoText::Damaged { .. }));
        assert!(is_damaged(found("a.docx", cut(zip(files), 60))));
        assert!(is_damaged(found("a.gz", cut(gzip(b"lemon and salt"), 20))));
        assert_eq!(found("a.tar", cut(tar(&files), 1024)).unwrap().text, "one.txt\n\nlemon");
    }

    #[test]
    fn a_film_in_an_archive_is_not_unpacked() {
        let film = [b"\0\0\0\x20ftypisom".to_vec(), vec![0; 200 << 20]].concat();
        check("a.zip", &zip([("a.mp4", film), ("b.txt", b"seen".to_vec())]), Ok("b.txt\n\nseen"));
    }

    #[test]
    fn a_bomb_is_given_up() {
        let spaces = vec![b' '; 129 << 20];
        let limit = crate::package::MAX_UNPACKED_BYTES;
        check("a.gz", &gzip(&spaces), Err(NoText::UnpacksTooLarge { limit }));
        check("a.zip", &zip([("a.txt", spaces)]), Err(NoText::UnpacksTooLarge { limit }));
    }
}
