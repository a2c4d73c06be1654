//! The grammar of each programming language.

use rummage_corpus::Language;
use text_splitter::{ChunkConfig, ChunkSizer, CodeSplitter};

/// A splitter for programs in this language; `None` where the grammar does not go
/// with the library that reads it, which no build of ours has.
pub(crate) fn splitter<S: ChunkSizer>(
    language: Language,
    config: ChunkConfig<S>,
) -> Option<CodeSplitter<S>> {
    let grammar = match language {
        Language::Bash => tree_sitter_bash::LANGUAGE,
        Language::C => tree_sitter_c::LANGUAGE,
        Language::CSharp => tree_sitter_c_sharp::LANGUAGE,
        Language::Cpp => tree_sitter_cpp::LANGUAGE,
        Language::Go => tree_sitter_go::LANGUAGE,
        Language::Java => tree_sitter_java::LANGUAGE,
        Language::JavaScript => tree_sitter_javascript::LANGUAGE,
        Language::Php => tree_sitter_php::LANGUAGE_PHP,
        Language::Python => tree_sitter_python::LANGUAGE,
        Language::Ruby => tree_sitter_ruby::LANGUAGE,
        Language::Rust => tree_sitter_rust::LANGUAGE,
        Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
    };
    CodeSplitter::new(grammar, config).ok()
}
