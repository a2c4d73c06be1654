//! Excel workbooks (XLSX, XLSB, XLS) by calamine: a line for each row, a tab
//! between its cells, a heading for each sheet. Numbers are written plainly, not
//! in the format of their cells.

use std::io::Cursor;

use calamine::{Data, Reader, Xls, XlsError, Xlsb, Xlsx, XlsxError};
use rummage_corpus::Document;

use crate::{
    NoText, guarded,
    package::{Budget, Package},
    page::{Break, Page},
};

const FORMAT: &str = "Excel workbook";

/// A sheet may have sixteen thousand million cells, and a file of a kilobyte may
/// claim them. No text is worth more of them.
const MAX_CELLS: usize = 20_000_000;

pub(crate) fn read_xlsx(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    Package::open(FORMAT, bytes, budget)?.check_unpacked_size()?;
    guarded(FORMAT, || xlsx_rows(bytes))
}

fn xlsx_rows(bytes: &[u8]) -> Result<Document, NoText> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsxError::Password => NoText::Protected,
        error => damaged(error),
    })?;
    let mut rows = Rows::default();
    for name in book.sheet_names() {
        rows.begin_sheet(&name);
        // A sheet may be a chart, which has no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            rows.push(cell.get_position().0, &cell.get_value().clone().into())?;
        }
    }
    Ok(rows.page.finish())
}

pub(crate) fn read_xlsb(bytes: &[u8], budget: &Budget) -> Result<Document, NoText> {
    Package::open(FORMAT, bytes, budget)?.check_unpacked_size()?;
    guarded(FORMAT, || xlsb_rows(bytes))
}

fn xlsb_rows(bytes: &[u8]) -> Result<Document, NoText> {
    let mut book: Xlsb<_> = Xlsb::new(Cursor::new(bytes)).map_err(damaged)?;
    let mut rows = Rows::default();
    for name in book.sheet_names() {
        rows.begin_sheet(&name);
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else { continue };
        while let Some(cell) = cells.next_cell().map_err(damaged)? {
            rows.push(cell.get_position().0, &cell.get_value().clone().into())?;
        }
    }
    Ok(rows.page.finish())
}

pub(crate) fn read_xls(bytes: &[u8]) -> Result<Document, NoText> {
    guarded(FORMAT, || xls_rows(bytes))
}

fn xls_rows(bytes: &[u8]) -> Result<Document, NoText> {
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => NoText::Protected,
        error => damaged(error),
    })?;
    let mut rows = Rows::default();
    for name in book.sheet_names() {
        rows.begin_sheet(&name);
        let Ok(range) = book.worksheet_range(&name) else { continue };
        for (row, _, value) in range.used_cells() {
            rows.push(row as u32, value)?;
        }
    }
    Ok(rows.page.finish())
}

fn damaged(error: impl ToString) -> NoText {
    NoText::Damaged { format: FORMAT, reason: error.to_string() }
}

/// The text of sheets as their cells come in.
#[derive(Default)]
struct Rows {
    page: Page,
    row: u32,
    cells: usize,
}

impl Rows {
    fn begin_sheet(&mut self, name: &str) {
        self.page.push_heading(1, name);
        self.row = 0;
    }

    fn push(&mut self, row: u32, value: &Data) -> Result<(), NoText> {
        self.cells += 1;
        if self.cells > MAX_CELLS {
            return Err(damaged(format!("it has more than {MAX_CELLS} cells")));
        }
        self.page.break_at_least(if row == self.row { Break::Cell } else { Break::Line });
        self.row = row;
        match value {
            Data::DateTime(date) if date.is_datetime() => {
                let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
                self.page.push(&format!("{year:04}-{month:02}-{day:02}"));
                if (hour, minute, second) != (0, 0, 0) {
                    self.page.push(&format!(" {hour:02}:{minute:02}:{second:02}"));
                }
            }
            value => self.page.push(&value.to_string()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::testing::zip;

    fn workbook(cells: &str) -> Vec<u8> {
        const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        const RELATIONS: &str =
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        zip([
            (
                "_rels/.rels",
                format!(
                    "<Relationships><Relationship Id='r1' Type='{RELATIONS}/officeDocument' \
                     Target='xl/workbook.xml'/></Relationships>"
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    "<workbook xmlns='{MAIN}' xmlns:r='{RELATIONS}'><sheets>\
                     <sheet name='Costs' sheetId='1' r:id='r1'/></sheets></workbook>"
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships><Relationship Id='r1' Type='{RELATIONS}/worksheet' \
                     Target='worksheets/sheet1.xml'/></Relationships>"
                ),
            ),
            ("xl/sharedStrings.xml", "<sst><si><t>roof</t></si></sst>".to_owned()),
            (
                "xl/worksheets/sheet1.xml",
                format!("<worksheet xmlns='{MAIN}'><sheetData>{cells}</sheetData></worksheet>"),
            ),
        ])
    }

    #[track_caller]
    fn check(cells: &str, expected: &str) {
        let document = read_xlsx(&workbook(cells), &Budget::new()).unwrap();
        assert_eq!(document.text, expected, "{cells}");
        assert_eq!(document.headings[0].text, "Costs");
    }

    #[test]
    fn rows_are_lines_and_sheets_sections() {
        check(
            "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1'><v>12.5</v></c></row>\
             <row r='3'><c r='B3' t='inlineStr'><is><t>new tiles</t></is></c></row>",
            "Costs\n\nroof\t12.5\nnew tiles",
        );
    }

    #[test]
    fn far_cells_take_no_memory() {
        check(
            "<row r='1'><c r='A1'><v>1</v></c></row>\
             <row r='1048576'><c r='XFD1048576'><v>2</v></c></row>",
            "Costs\n\n1\n2",
        );
    }
}
