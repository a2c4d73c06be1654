//! Tables as text (CSV, TSV). The text stays byte for byte; the names of the
//! columns become a heading, so that every passage knows what its figures are.

use rummage_corpus::{Document, Heading, Structure};

/// More names than this say nothing in common.
const MAX_HEADING_BYTES: usize = 300;

pub(crate) fn read(text: String) -> Document {
    let names = column_names(text.lines().next().unwrap_or_default());
    let headings = names.map(|text| Heading { level: 1, text, at: 0 });
    Document { headings: headings.into_iter().collect(), ..Document::plain(text, Structure::Code) }
}

/// The first line's cells, if they are names: none empty, none a number.
fn column_names(line: &str) -> Option<String> {
    let separator = [',', ';', '\t', '|']
        .into_iter()
        .max_by_key(|separator| line.matches(*separator).count())?;
    let cells: Vec<&str> =
        line.split(separator).map(|cell| cell.trim().trim_matches('"').trim()).collect();
    let is_name = |cell: &&str| cell.starts_with(char::is_alphabetic);
    let names = cells.join(", ");
    (cells.len() > 1 && cells.iter().all(is_name) && names.len() <= MAX_HEADING_BYTES)
        .then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let document = read(text.to_owned());
        assert_eq!(document.text, text);
        let names = document.headings.first().map(|heading| heading.text.as_str());
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn names_of_columns_are_found() {
        check("name,price\nroof,100\n", Some("name, price"));
        check("\"The name\";\"Preis in €\"\r\n", Some("The name, Preis in €"));
        check("a\tb\n", Some("a, b"));
    }

    #[test]
    fn a_table_without_names_has_none() {
        check("roof,100\ntiles,7\n", None);
        check("one line", None);
        check("a,,b\n", None);
    }
}
