//! Jupyter notebooks as the Markdown that a reader would take them for: text cells
//! as they are, code cells fenced. What the code printed is left out.

use rummage_corpus::{Document, Structure};
use serde::Deserialize;

use crate::markdown;

#[derive(Deserialize)]
struct Notebook {
    cells: Vec<Cell>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    source: Source,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Whole(String),
    Lines(Vec<String>),
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default)]
    kernelspec: Kernel,
}

#[derive(Deserialize, Default)]
struct Kernel {
    #[serde(default)]
    language: String,
}

/// What is no notebook stays the text that it is.
pub(crate) fn read(text: String) -> Document {
    let Ok(notebook) = serde_json::from_str::<Notebook>(&text) else {
        return Document::plain(text, Structure::Code);
    };
    let cells = notebook.cells.into_iter().map(|cell| {
        let source = match cell.source {
            Source::Whole(source) => source,
            Source::Lines(lines) => lines.concat(),
        };
        match cell.cell_type.as_str() {
            "code" => format!("```{}\n{source}\n```", notebook.metadata.kernelspec.language),
            _ => source,
        }
    });
    markdown::read(cells.collect::<Vec<_>>().join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_markdown() {
        let notebook = r##"{"cells": [
            {"cell_type": "markdown", "source": ["# Roof\n", "text"]},
            {"cell_type": "code", "source": "a = 1", "outputs": [{"text": "no"}]}
        ], "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}"##;
        let document = read(notebook.to_owned());
        assert_eq!(document.text, "# Roof\ntext\n\n```python\na = 1\n```");
        assert_eq!(document.title.as_deref(), Some("Roof"));
    }

    #[test]
    fn what_is_no_notebook_is_left_as_it_is() {
        for text in ["{}", "[[[", "{\"cells\": 1}"] {
            assert_eq!(read(text.to_owned()), Document::plain(text, Structure::Code));
        }
    }
}
