//! Documents of office programs: XML, or for old workbooks records, in a package.

mod docx;
mod odf;
mod pptx;
mod runs;
mod sheets;

pub(crate) use docx::read as read_docx;
pub(crate) use odf::read as read_odf;
pub(crate) use pptx::read as read_pptx;
pub(crate) use sheets::{read_xls, read_xlsb, read_xlsx};

use crate::{package::Package, xml};

/// The title in an OOXML package's properties.
fn title(format: &'static str, package: &mut Package<'_>) -> Option<String> {
    let properties = package.read_if_there("docProps/core.xml").ok()??;
    xml::first_text(format, &properties, "title")
}
