//! The rows of both tables, to and from Arrow.
//!
//! A passage's context and text share one column, `words`: nothing is stored twice, and
//! [`SPAN`] says where the text begins, with all else that is a number: reading a row
//! costs by the column. Their words as `corpus::words`
//! analyses them are another, [`TERMS`], which the keyword index reads as one
//! document: a title's word counts as much as the text's, and BM25 stays one formula.

use std::{path::Path, sync::Arc};

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, AsArray, FixedSizeListArray, Float32Array, Int64Array,
        PrimitiveArray, RecordBatch, StringArray,
    },
    datatypes::{DataType, Field, Float32Type, Int64Type, Schema, SchemaRef, UInt64Type},
    error::ArrowError,
};
use rummage_corpus::{
    ANALYSIS, ContentHash, FileId, Passage, PassageId, SourcePath, Span, joined, model_input, words,
};

use crate::StoreError;

/// The column of analysed words. A table of another analysis has none of that name.
pub(crate) const TERMS: &str = ANALYSIS;

/// The database's own column. Rows have no other number in our tables, so its row ids
/// are addresses, too.
const ROW_ADDRESS: &str = "_rowaddr";
const ROW_ID: &str = "_rowid";

pub(crate) const VECTOR: &str = "vector";

/// The column of a passage's context and text.
pub(crate) const TEXT: &str = "words";

/// The numbers of a passage: how many bytes of `words` are its context, where it begins
/// and ends in its file's text, and its page, which is below 0 where it has none.
const SPAN: &str = "span";
const NUMBERS: usize = 4;
const NO_PAGE: i64 = -1;

/// The columns that say which passage a row is, and where its file is.
pub(crate) const OF_ORIGIN: [&str; 4] = ["id", "path", "ext", "modified"];

/// The columns that hold a passage itself.
pub(crate) const OF_PASSAGE: [&str; 3] = ["hash", TEXT, SPAN];

/// The file that a row belongs to, with what filters ask about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub file: FileId,
    /// For people to read; the file is opened by the catalog's path.
    pub path: String,
    /// In lower case, without the dot.
    pub ext: String,
    /// Seconds since 1970.
    pub modified: i64,
}

impl Origin {
    pub fn new(file: FileId, path: &SourcePath, modified: i64) -> Self {
        Self { file, path: path.display().to_string(), ext: path.extension(), modified }
    }
}

/// A passage as the keyword side keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassageRow {
    pub origin: Origin,
    pub passage: Passage,
}

impl PassageRow {
    pub fn id(&self) -> PassageId {
        PassageId::new(self.origin.file, self.passage.ordinal)
    }
}

/// A passage's vector. It counts as long as the passage with the same id has the
/// same hash.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorRow {
    pub origin: Origin,
    pub ordinal: u32,
    pub hash: ContentHash,
    /// Of length 1, with as many numbers as the store's [`VectorSpace`](crate::VectorSpace) says.
    pub vector: Vec<f32>,
}

impl VectorRow {
    pub fn id(&self) -> PassageId {
        PassageId::new(self.origin.file, self.ordinal)
    }
}

pub(crate) fn passage_schema() -> SchemaRef {
    let mut fields = origin_fields();
    fields.extend([
        Field::new(TEXT, DataType::Utf8, false),
        Field::new(TERMS, DataType::Utf8, false),
        Field::new(SPAN, DataType::FixedSizeList(number(), NUMBERS as i32), false),
    ]);
    Arc::new(Schema::new(fields))
}

pub(crate) fn vector_schema(dims: usize) -> SchemaRef {
    let mut fields = origin_fields();
    fields.push(Field::new(VECTOR, vector_type(dims), false));
    Arc::new(Schema::new(fields))
}

fn origin_fields() -> Vec<Field> {
    vec![
        Field::new("id", DataType::Int64, false),
        Field::new("file", DataType::Int64, false),
        Field::new("hash", DataType::Utf8, false),
        Field::new("path", DataType::Utf8, false),
        Field::new("ext", DataType::Utf8, false),
        Field::new("modified", DataType::Int64, false),
    ]
}

fn vector_type(dims: usize) -> DataType {
    DataType::FixedSizeList(vector_item(), dims as i32)
}

/// The numbers of a vector, of a column of this type.
pub(crate) fn dims(of: &DataType) -> Option<usize> {
    match of {
        DataType::FixedSizeList(_, dims) => usize::try_from(*dims).ok(),
        _ => None,
    }
}

// The database keeps items of lists as such that may be missing, and compares.
fn number() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Int64, true))
}

fn vector_item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, true))
}

fn origin_columns<'a>(
    rows: impl Iterator<Item = (PassageId, &'a Origin, ContentHash)> + Clone,
) -> Vec<ArrayRef> {
    let ids = rows.clone().map(|(id, ..)| id.to_i64());
    let files = rows.clone().map(|(_, origin, _)| origin.file.0);
    let hashes = rows.clone().map(|(.., hash)| hash.to_string());
    let paths = rows.clone().map(|(_, origin, _)| origin.path.as_str());
    let exts = rows.clone().map(|(_, origin, _)| origin.ext.as_str());
    let modified = rows.map(|(_, origin, _)| origin.modified);
    vec![
        Arc::new(Int64Array::from_iter_values(ids)),
        Arc::new(Int64Array::from_iter_values(files)),
        Arc::new(StringArray::from_iter_values(hashes)),
        Arc::new(StringArray::from_iter_values(paths)),
        Arc::new(StringArray::from_iter_values(exts)),
        Arc::new(Int64Array::from_iter_values(modified)),
    ]
}

pub(crate) fn passage_batch(rows: &[PassageRow]) -> Result<RecordBatch, ArrowError> {
    let passages = || rows.iter().map(|row| &row.passage);
    let mut columns =
        origin_columns(rows.iter().map(|row| (row.id(), &row.origin, row.passage.hash)));
    let texts: Vec<_> =
        passages().map(|passage| model_input(&passage.context, &passage.text)).collect();
    let terms = texts.iter().map(|text| joined(&words(text)));
    let places = passages().flat_map(|passage| {
        let Span { start, end } = passage.span;
        let page = passage.page.map_or(NO_PAGE, i64::from);
        [passage.context.len() as i64, start as i64, end as i64, page]
    });
    let places = Arc::new(Int64Array::from_iter_values(places));
    columns.extend([
        Arc::new(StringArray::from_iter_values(&texts)) as ArrayRef,
        Arc::new(StringArray::from_iter_values(terms)),
        Arc::new(FixedSizeListArray::try_new(number(), NUMBERS as i32, places, None)?),
    ]);
    RecordBatch::try_new(passage_schema(), columns)
}

/// What filters ask about, alone: for rows whose files are elsewhere now.
pub(crate) fn place_batch(rows: &[(PassageId, &Origin)]) -> Result<RecordBatch, ArrowError> {
    let origins = || rows.iter().map(|(_, origin)| origin);
    let ids = rows.iter().map(|(id, _)| id.to_i64());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(ids)),
        Arc::new(StringArray::from_iter_values(origins().map(|origin| &origin.path))),
        Arc::new(StringArray::from_iter_values(origins().map(|origin| &origin.ext))),
        Arc::new(Int64Array::from_iter_values(origins().map(|origin| origin.modified))),
    ];
    let wanted = |field: &Field| ["id", "path", "ext", "modified"].contains(&&**field.name());
    let fields = origin_fields().into_iter().filter(wanted).collect::<Vec<_>>();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// Every vector must have `dims` numbers.
pub(crate) fn vector_batch(rows: &[VectorRow], dims: usize) -> Result<RecordBatch, ArrowError> {
    let mut columns = origin_columns(rows.iter().map(|row| (row.id(), &row.origin, row.hash)));
    let numbers = rows.iter().flat_map(|row| row.vector.iter().copied());
    let numbers = Arc::new(Float32Array::from_iter_values(numbers));
    columns.push(Arc::new(FixedSizeListArray::try_new(vector_item(), dims as i32, numbers, None)?));
    RecordBatch::try_new(vector_schema(dims), columns)
}

/// A batch that was read, column by column.
pub(crate) struct Columns<'a> {
    pub batch: &'a RecordBatch,
    /// For the error.
    pub table: &'a Path,
}

impl<'a> Columns<'a> {
    pub fn passage_ids(&self) -> Result<impl Iterator<Item = PassageId> + use<'a>, StoreError> {
        Ok(self.numbers::<Int64Type>("id")?.values().iter().map(|id| PassageId::from_i64(*id)))
    }

    pub fn files(&self) -> Result<impl Iterator<Item = FileId> + use<'a>, StoreError> {
        Ok(self.numbers::<Int64Type>("file")?.values().iter().map(|file| FileId(*file)))
    }

    pub fn hashes(&self) -> Result<Vec<ContentHash>, StoreError> {
        let unreadable = |_| self.unusable("hash");
        self.strings("hash")?
            .iter()
            .flatten()
            .map(|hash| hash.parse().map_err(unreadable))
            .collect()
    }

    pub fn floats(&self, column: &'static str) -> Result<&'a [f32], StoreError> {
        Ok(self.numbers::<Float32Type>(column)?.values())
    }

    pub fn integers(&self, column: &'static str) -> Result<&'a [i64], StoreError> {
        Ok(self.numbers::<Int64Type>(column)?.values())
    }

    /// Where each row lies: the fragment and the place in it.
    pub fn addresses(&self) -> Result<&'a [u64], StoreError> {
        Ok(self.numbers::<UInt64Type>(ROW_ADDRESS)?.values())
    }

    /// As [`Columns::addresses`], of what a search found.
    pub fn found(&self) -> Result<&'a [u64], StoreError> {
        Ok(self.numbers::<UInt64Type>(ROW_ID)?.values())
    }

    /// All vectors end to end.
    pub fn vectors(&self) -> Result<&'a [f32], StoreError> {
        let lists = self.column(VECTOR)?.as_fixed_size_list_opt();
        let numbers = lists.and_then(|lists| lists.values().as_primitive_opt::<Float32Type>());
        Ok(numbers.ok_or_else(|| self.unusable(VECTOR))?.values())
    }

    /// Passages with where their files are: of [`OF_ORIGIN`] and [`OF_PASSAGE`].
    pub fn passage_rows(&self) -> Result<Vec<PassageRow>, StoreError> {
        let (paths, exts) = (self.strings("path")?, self.strings("ext")?);
        let modified = self.numbers::<Int64Type>("modified")?;
        let ids: Vec<_> = self.passage_ids()?.collect();
        let passages = self.passages(ids.iter().map(|id| id.ordinal()))?;
        let rows = ids.into_iter().zip(passages).enumerate().map(|(i, (id, passage))| {
            let (path, ext) = (paths.value(i).to_owned(), exts.value(i).to_owned());
            let origin = Origin { file: id.file(), path, ext, modified: modified.value(i) };
            PassageRow { origin, passage }
        });
        Ok(rows.collect())
    }

    /// Passages by their numbers in their files: of [`OF_PASSAGE`].
    pub fn passages(
        &self,
        ordinals: impl Iterator<Item = u32>,
    ) -> Result<Vec<Passage>, StoreError> {
        let hashes = self.hashes()?;
        let words = self.strings(TEXT)?;
        let lists = self.column(SPAN)?.as_fixed_size_list_opt();
        let places = lists.and_then(|lists| lists.values().as_primitive_opt::<Int64Type>());
        let places = places.ok_or_else(|| self.unusable(SPAN))?.values().as_chunks::<NUMBERS>().0;
        ordinals
            .zip(hashes)
            .zip(places)
            .enumerate()
            .map(|(i, ((ordinal, hash), &[context_bytes, start, end, page]))| {
                let (context, text) = split_words(words.value(i), context_bytes)
                    .ok_or_else(|| self.unusable(SPAN))?;
                Ok(Passage {
                    ordinal,
                    span: Span::new(start as usize, end as usize),
                    text: text.to_owned(),
                    context: context.to_owned(),
                    page: u32::try_from(page).ok(),
                    hash,
                })
            })
            .collect()
    }

    pub fn joined_words(&self) -> Option<&'a StringArray> {
        self.strings(TERMS).ok()
    }

    pub fn strings(&self, column: &'static str) -> Result<&'a StringArray, StoreError> {
        self.column(column)?.as_string_opt().ok_or_else(|| self.unusable(column))
    }

    fn numbers<T: ArrowPrimitiveType>(
        &self,
        column: &'static str,
    ) -> Result<&'a PrimitiveArray<T>, StoreError> {
        self.column(column)?.as_primitive_opt().ok_or_else(|| self.unusable(column))
    }

    fn column(&self, column: &'static str) -> Result<&'a ArrayRef, StoreError> {
        self.batch.column_by_name(column).ok_or_else(|| self.unusable(column))
    }

    fn unusable(&self, column: &'static str) -> StoreError {
        StoreError::Column { path: self.table.to_owned(), column }
    }
}

/// Undoes [`model_input`]: the context and the text.
fn split_words(words: &str, context_bytes: i64) -> Option<(&str, &str)> {
    match usize::try_from(context_bytes).ok()? {
        0 => Some(("", words)),
        bytes => Some((words.get(..bytes)?, words.get(bytes + 1..)?)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_passage_comes_back_as_it_went(
            ordinal in 0u32..1000,
            context in "(?s).{0,20}",
            text in "(?s).{0,60}",
            page in prop::option::of(1u32..9),
        ) {
            let row = PassageRow {
                origin: Origin::new(FileId(7), &SourcePath::new("/a/it's \"b\".TXT"), -3),
                passage: Passage {
                    ordinal,
                    span: Span::new(5, 5 + text.len()),
                    hash: ContentHash::of(text.as_bytes()),
                    text, context, page,
                },
            };
            let batch = passage_batch(std::slice::from_ref(&row)).unwrap();
            let columns = Columns { batch: &batch, table: Path::new("passages") };
            prop_assert_eq!(columns.passage_rows().unwrap(), vec![row]);
        }
    }
}
