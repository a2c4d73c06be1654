//! Which kind of text a file holds: by its name, and where that says nothing, by
//! how the text begins.

use rummage_corpus::{Language, SourcePath};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Html,
    Markdown,
    Notebook,
    Json,
    Table,
    Source(Language),
    /// Lines matter: settings, other programs, markup that is kept as it is.
    Code,
    Prose,
}

const HTML: &[&str] = &["htm", "html", "shtml", "xht", "xhtml"];

const MARKDOWN: &[&str] = &["markdown", "md", "mdown", "mdwn", "mdx", "mkd", "mkdn", "qmd", "rmd"];

const PROSE: &[&str] = &[
    "adoc", "asc", "asciidoc", "bib", "eml", "latex", "me", "org", "pod", "rst", "srt", "tex",
    "text", "textile", "txt", "vtt", "wiki",
];

/// Sorted, for the search.
#[rustfmt::skip]
const CODE: &[&str] = &[
    "ada", "adb", "ads", "applescript", "asm", "astro", "awk", "bat", "bzl", "cfg", "cl", "clj",
    "cljc", "cljs", "cmake", "cmd", "coffee", "conf", "cr", "css", "d", "dart", "diff",
    "dockerfile", "ejs", "el", "elm", "env", "erb", "erl", "ex", "exs", "f", "f03", "f90", "f95",
    "fish", "fs", "fsi", "fsx", "glsl", "gradle", "graphql", "groovy", "haml", "hbs", "hcl",
    "hlsl", "hrl", "hs", "idr", "ini", "jl", "json5", "jsonc", "kt", "kts", "less", "lisp", "lock",
    "log", "lua", "m", "mak", "mk", "ml", "mli", "mm", "nim", "nix", "pas", "patch", "pl", "plist",
    "pm", "po", "pp", "proto", "ps1", "psm1", "pug", "pyx", "r", "reg", "rkt", "s", "sass", "sbt",
    "scala", "scm", "scss", "sol", "sql", "srv", "styl", "sv", "svelte", "svg", "swift", "tcl",
    "tf", "tfvars", "thrift", "toml", "v", "vala", "vb", "vhd", "vhdl", "vim", "vue", "wat",
    "wgsl", "xaml", "xml", "xsd", "xsl", "xslt", "yaml", "yml", "zig",
];

/// Files that go by a name alone, in lower case.
const CODE_NAMES: &[&str] = &[
    "cmakelists.txt",
    "containerfile",
    "dockerfile",
    "gemfile",
    "gnumakefile",
    "jenkinsfile",
    "justfile",
    "makefile",
    "rakefile",
    "vagrantfile",
];

fn language(extension: &str) -> Option<Language> {
    Some(match extension {
        "bash" | "sh" | "zsh" => Language::Bash,
        "c" => Language::C,
        "cs" => Language::CSharp,
        "cc" | "cpp" | "cu" | "cxx" | "h" | "hh" | "hpp" | "hxx" | "ino" => Language::Cpp,
        "go" => Language::Go,
        "java" => Language::Java,
        "cjs" | "js" | "jsx" | "mjs" => Language::JavaScript,
        "php" => Language::Php,
        "py" | "pyi" => Language::Python,
        "rake" | "rb" => Language::Ruby,
        "rs" => Language::Rust,
        "tsx" => Language::Tsx,
        "cts" | "mts" | "ts" => Language::TypeScript,
        _ => return None,
    })
}

/// The name decides where it is known; else the text's first words do.
pub(crate) fn of(path: &SourcePath, text: &str) -> Kind {
    let extension = path.extension();
    let extension = extension.as_str();
    if CODE_NAMES.contains(&path.name().to_lowercase().as_str()) {
        Kind::Code
    } else if HTML.contains(&extension) {
        Kind::Html
    } else if MARKDOWN.contains(&extension) {
        Kind::Markdown
    } else if PROSE.contains(&extension) {
        Kind::Prose
    } else if let Some(language) = language(extension) {
        Kind::Source(language)
    } else if CODE.binary_search(&extension).is_ok() {
        Kind::Code
    } else {
        match extension {
            "ipynb" => Kind::Notebook,
            "csv" | "tsv" => Kind::Table,
            "geojson" | "json" | "jsonl" | "ndjson" => Kind::Json,
            _ => by_content(text),
        }
    }
}

fn by_content(text: &str) -> Kind {
    let start = text.trim_start();
    if starts_like_html(start) {
        Kind::Html
    } else if let Some(program) = start.strip_prefix("#!") {
        by_interpreter(program.lines().next().unwrap_or_default())
    } else if start.starts_with("<?xml") {
        Kind::Code
    } else {
        Kind::Prose
    }
}

/// The program that a script asks to be run by.
fn by_interpreter(line: &str) -> Kind {
    let program = line.split(['/', ' ']).rfind(|word| !word.is_empty() && !word.starts_with('-'));
    let name = program.unwrap_or_default().trim_end_matches(|char: char| !char.is_alphabetic());
    match name {
        "bash" | "dash" | "sh" | "zsh" => Kind::Source(Language::Bash),
        "node" => Kind::Source(Language::JavaScript),
        "php" => Kind::Source(Language::Php),
        "python" => Kind::Source(Language::Python),
        "ruby" => Kind::Source(Language::Ruby),
        _ => Kind::Code,
    }
}

/// A doctype or the root element, perhaps behind an XML declaration.
fn starts_like_html(start: &str) -> bool {
    let body = match start.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, body)| body).trim_start(),
        None => start,
    };
    ["<!doctype html", "<html"].iter().any(|opening| {
        body.as_bytes()
            .get(..opening.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(opening.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: Kind) {
        assert_eq!(of(&SourcePath::new(name), text), expected, "{name}: {text}");
    }

    #[test]
    fn the_search_finds_every_extension() {
        assert!(CODE.is_sorted());
    }

    #[test]
    fn a_known_name_decides() {
        check("notes.MD", "", Kind::Markdown);
        check("index.htm", "no markup at all", Kind::Html);
        check("main.rs", "", Kind::Source(Language::Rust));
        check("zones.zsh", "", Kind::Source(Language::Bash));
        check("main.zig", "", Kind::Code);
        check("a.csv", "", Kind::Table);
        check("a.json", "", Kind::Json);
        check("Makefile", "all:", Kind::Code);
        check("CMakeLists.txt", "project(a)", Kind::Code);
        check("letter.txt", "<html> is a tag", Kind::Prose);
        check("view.php", "<!DOCTYPE html>", Kind::Source(Language::Php));
    }

    #[test]
    fn the_text_decides_where_the_name_says_nothing() {
        check("saved", "\n<!DOCTYPE HTML PUBLIC>", Kind::Html);
        check("saved.page", "<HTML lang=de>", Kind::Html);
        check("saved", "<?xml version='1.0'?>\n<!doctype html>", Kind::Html);
        check("feed", "<?xml version='1.0'?><rss/>", Kind::Code);
        check("tool", "#!/bin/sh -e\n", Kind::Source(Language::Bash));
        check("tool", "#!/usr/bin/env python3.11\n", Kind::Source(Language::Python));
        check("tool", "#!/usr/bin/awk\n", Kind::Code);
        check("README", "Words", Kind::Prose);
        check("README", "<é", Kind::Prose);
    }
}
