//! One model's table of vectors.

use std::collections::HashMap;

use lancedb::datafusion::{logical_expr::lit, prelude::col};
use rummage_corpus::{ContentHash, FileId};

use crate::{Origin, Store, StoreError, VectorRow, rows, table::LIST_LEN};

impl Store {
    /// Removes the vectors of the `stale` files, then adds `rows`. Safe to repeat,
    /// as [`Store::replace_passages`] is.
    pub async fn replace_vectors(
        &self,
        stale: &[FileId],
        rows: &[VectorRow],
    ) -> Result<(), StoreError> {
        for row in rows {
            self.check_dims(&row.vector)?;
        }
        self.inner.vectors.replace(stale, rows::vector_batch(rows, self.inner.dims)).await?;
        self.keep_up().await
    }

    /// As [`Store::place_passages`], for vectors.
    pub async fn place_vectors(&self, origins: &[Origin]) -> Result<(), StoreError> {
        self.inner.vectors.place(origins).await?;
        self.keep_up().await
    }

    /// Only frees space: without its passage, a vector counts for nothing.
    pub async fn remove_vectors(&self, files: &[FileId]) -> Result<(), StoreError> {
        self.inner.vectors.remove(files).await?;
        self.keep_up().await
    }

    /// The vectors of these contents, as far as any file has or had them: what is
    /// here need not be embedded again.
    pub async fn known_vectors(
        &self,
        hashes: &[ContentHash],
    ) -> Result<HashMap<ContentHash, Vec<f32>>, StoreError> {
        let table = &self.inner.vectors;
        let mut known = HashMap::new();
        for hashes in hashes.chunks(LIST_LEN) {
            let hashes = hashes.iter().map(|hash| lit(hash.to_string())).collect();
            let condition = col("hash").in_list(hashes, false);
            for batch in table.select(condition, &["hash", "vector"]).await? {
                let columns = table.columns(&batch);
                let vectors = columns.vectors()?.chunks_exact(self.inner.dims);
                known.extend(columns.hashes()?.into_iter().zip(vectors.map(<[f32]>::to_vec)));
            }
        }
        Ok(known)
    }

    /// As [`Store::passages_per_file`], for vectors.
    pub async fn vectors_per_file(
        &self,
        files: &[FileId],
    ) -> Result<HashMap<FileId, u64>, StoreError> {
        self.inner.vectors.rows_per_file(files).await
    }

    pub async fn count_vectors(&self) -> Result<usize, StoreError> {
        self.inner.vectors.count().await
    }

    pub(crate) fn check_dims(&self, vector: &[f32]) -> Result<(), StoreError> {
        let (expected, actual) = (self.inner.dims, vector.len());
        if expected == actual {
            return Ok(());
        }
        Err(StoreError::Dims { path: self.inner.vectors.path.clone(), expected, actual })
    }
}
