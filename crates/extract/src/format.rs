//! Which format a file is in, by its bytes. Its name is asked only where the bytes
//! say no more than "a ZIP file" or "text".

use memchr::memmem;
use rummage_corpus::SourcePath;

use crate::{
    mail,
    package::{Budget, Package},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Xlsb,
    Xls,
    Odf,
    Epub,
    Rtf,
    Message,
    Mailbox,
    Zip,
    Tar,
    Gzip,
    /// Letters in it are pictures, if there are any.
    Image,
    /// The same, in a format that is not for OCR.
    OtherImage,
    /// An office document that a password keeps shut.
    Protected,
    /// Anything else that may be text.
    Text,
}

/// A PDF may begin with some bytes of something else.
const PDF_HEAD_BYTES: usize = 1024;

/// Formats that Leptonica reads for Tesseract. Of bytes that it does not know, Tesseract
/// takes the lines for the names of files, and opens those: it must be shown no others.
const IMAGES: &[(usize, &[u8])] = &[
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"\xff\xd8\xff"),
    (0, b"GIF87a"),
    (0, b"GIF89a"),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n"),
];

const OTHER_IMAGES: &[(usize, &[u8])] = &[
    (4, b"ftypheic"),
    (4, b"ftypheix"),
    (4, b"ftypmif1"),
    (4, b"ftypavif"),
    (0, b"gimp xcf"),
    (0, b"8BPS\0"),
    (0, b"AT&TFORM"),
];

/// Looks at the bytes, and for packages at the names in them.
pub(crate) fn of(path: &SourcePath, bytes: &[u8]) -> Format {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let is_at =
        |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        package(bytes)
    } else if starts(b"{\\rtf") {
        Format::Rtf
    } else if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        compound(bytes)
    } else if starts(b"\x1f\x8b\x08") {
        Format::Gzip
    } else if is_at(257, b"ustar") {
        Format::Tar
    } else if IMAGES.iter().any(|(at, magic)| is_at(*at, magic))
        || is_bitmap(bytes)
        || starts(b"RIFF") && is_at(8, b"WEBP")
    {
        Format::Image
    } else if OTHER_IMAGES.iter().any(|(at, magic)| is_at(*at, magic)) {
        Format::OtherImage
    } else if is_pdf(bytes) {
        Format::Pdf
    } else if mail::is_mailbox(bytes) {
        Format::Mailbox
    } else if mail::is_message(bytes, path.extension() == "eml") {
        Format::Message
    } else {
        Format::Text
    }
}

fn is_pdf(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(PDF_HEAD_BYTES)];
    // Behind text it is an example of how a PDF begins.
    memmem::find(head, b"%PDF-").is_some_and(|at| at == 0 || bytes.contains(&0))
}

/// A Windows bitmap; its two letters alone begin many a text.
fn is_bitmap(bytes: &[u8]) -> bool {
    bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4])
}

/// What a ZIP file is a package of.
fn package(bytes: &[u8]) -> Format {
    let budget = Budget::new();
    let Ok(mut package) = Package::open("ZIP", bytes, &budget) else { return Format::Zip };
    let kind = package.read_if_there("mimetype").ok().flatten().unwrap_or_default();
    if kind.starts_with(b"application/epub+zip") || package.has("META-INF/container.xml") {
        Format::Epub
    } else if kind.starts_with(b"application/vnd.oasis.opendocument") {
        Format::Odf
    } else if package.has("word/document.xml") {
        Format::Docx
    } else if package.has("ppt/presentation.xml") {
        Format::Pptx
    } else if package.has("xl/workbook.xml") {
        Format::Xlsx
    } else if package.has("xl/workbook.bin") {
        Format::Xlsb
    } else {
        Format::Zip
    }
}

/// What a compound file, Microsoft's container of old, holds: its streams are
/// named in UTF-16.
fn compound(bytes: &[u8]) -> Format {
    let holds = |name: &str| {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        memmem::find(bytes, &name).is_some()
    };
    if holds("EncryptedPackage") {
        Format::Protected
    } else if holds("Workbook\0") {
        Format::Xls
    } else {
        Format::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::zip;

    #[track_caller]
    fn check(name: &str, bytes: impl AsRef<[u8]>, expected: Format) {
        assert_eq!(of(&SourcePath::new(name), bytes.as_ref()), expected, "{name}");
    }

    #[test]
    fn the_bytes_tell_whatever_the_name() {
        check("a.txt", "%PDF-1.7\n", Format::Pdf);
        check("a.txt", b"\0\0junk%PDF-1.4", Format::Pdf);
        check("a.pdf", "A PDF begins with %PDF-1.4.", Format::Text);
        check("a.docx", "{\\rtf1 a}", Format::Rtf);
        check("a.txt", b"\x89PNG\r\n\x1a\n", Format::Image);
        check("a.txt", b"RIFF\x24\0\0\0WEBPVP8L", Format::Image);
        for other in ["\0\0\0\x20ftypavif", "8BPS\0\x01", "AT&TFORM", "gimp xcf file\0"] {
            check("a.png", other, Format::OtherImage);
        }
        check("a.txt", b"BM\x36\0\0\0\0\0\0\0", Format::Image);
        check("a.txt", "BMW is a car", Format::Text);
        check("a.doc", b"\x1f\x8b\x08\0", Format::Gzip);
        check("a", "", Format::Text);
    }

    #[test]
    fn packages_are_told_apart_by_what_is_in_them() {
        let package = |name: &str| zip([(name, "")]);
        check("a.zip", package("word/document.xml"), Format::Docx);
        check("a.zip", package("ppt/presentation.xml"), Format::Pptx);
        check("a.zip", package("xl/workbook.xml"), Format::Xlsx);
        check("a.zip", package("xl/workbook.bin"), Format::Xlsb);
        check("a.zip", package("META-INF/container.xml"), Format::Epub);
        check("a.zip", zip([("mimetype", "application/vnd.oasis.opendocument.text")]), Format::Odf);
        check("a.docx", package("notes.txt"), Format::Zip);
    }

    #[test]
    fn compound_files_are_told_apart_by_their_streams() {
        let compound = |name: &str| {
            let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
            bytes.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            bytes
        };
        check("a.docx", compound("EncryptedPackage"), Format::Protected);
        check("a.xls", compound("Workbook\0"), Format::Xls);
        check("a.doc", compound("WordDocument"), Format::Text);
    }
}
