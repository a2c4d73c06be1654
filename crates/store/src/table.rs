//! One LanceDB table, with errors that name it.

use std::path::{Path, PathBuf};

use arrow::{
    array::{RecordBatch, RecordBatchIterator},
    datatypes::SchemaRef,
    error::ArrowError,
};
use futures::TryStreamExt;
use lancedb::{
    Connection,
    database::CreateTableMode,
    datafusion::logical_expr::Expr,
    query::{ExecutableQuery, QueryBase, Select},
};
use rummage_corpus::{FileId, SourcePath};

use crate::{StoreError, error::Doing, filter, rows::Columns};

/// Ids or hashes in one condition. Longer lists are asked for in turns.
pub(crate) const LIST_LEN: usize = 1000;

/// Files moved in one commit, all of whose rows are in memory meanwhile.
const MOVED_LEN: usize = 64;

pub(crate) struct Table {
    pub lance: lancedb::Table,
    pub path: PathBuf,
}

impl Table {
    pub async fn open(
        connection: &Connection,
        dir: &Path,
        name: &str,
        schema: SchemaRef,
    ) -> Result<Table, StoreError> {
        let path = dir.join(format!("{name}.lance"));
        let created = connection
            .create_empty_table(name, schema)
            .mode(CreateTableMode::exist_ok(|open| open))
            .execute()
            .await;
        match created {
            Ok(lance) => Ok(Table { lance, path }),
            Err(error) => Err(StoreError::new(Doing::OpenTable, path, error)),
        }
    }

    /// `None` where there is no table of that name.
    pub async fn open_existing(
        connection: &Connection,
        dir: &Path,
        name: &str,
    ) -> Result<Option<Table>, StoreError> {
        let path = dir.join(format!("{name}.lance"));
        if !path.is_dir() {
            return Ok(None);
        }
        match connection.open_table(name).execute().await {
            Ok(lance) => Ok(Some(Table { lance, path })),
            // It is being made at this moment.
            Err(lancedb::Error::TableNotFound { .. }) => Ok(None),
            Err(error) => Err(StoreError::new(Doing::OpenTable, path, error)),
        }
    }

    pub fn read_failed(&self, error: lancedb::Error) -> StoreError {
        StoreError::new(Doing::Read, self.path.clone(), error)
    }

    pub fn write_failed(&self, error: lancedb::Error) -> StoreError {
        StoreError::new(Doing::Write, self.path.clone(), error)
    }

    pub fn columns<'a>(&'a self, batch: &'a RecordBatch) -> Columns<'a> {
        Columns { batch, table: &self.path }
    }

    /// The answer to any query, whole.
    pub async fn collect(
        &self,
        query: impl ExecutableQuery,
    ) -> Result<Vec<RecordBatch>, StoreError> {
        let read = async { query.execute().await?.try_collect().await };
        read.await.map_err(|error| self.read_failed(error))
    }

    pub async fn select(
        &self,
        condition: Expr,
        columns: &[&str],
    ) -> Result<Vec<RecordBatch>, StoreError> {
        let query = self.lance.query().only_if_expr(condition).select(Select::columns(columns));
        self.collect(query).await
    }

    pub async fn count(&self) -> Result<usize, StoreError> {
        self.lance.count_rows(None).await.map_err(|error| self.read_failed(error))
    }

    /// Removes the files' rows, then adds the batch.
    pub async fn replace(
        &self,
        stale: &[FileId],
        batch: Result<RecordBatch, ArrowError>,
    ) -> Result<(), StoreError> {
        let batch = batch.map_err(|error| self.write_failed(error.into()))?;
        self.remove(stale).await?;
        if batch.num_rows() > 0 {
            let added = self.lance.add(batch).execute().await;
            added.map_err(|error| self.write_failed(error))?;
        }
        Ok(())
    }

    pub async fn remove(&self, files: &[FileId]) -> Result<(), StoreError> {
        for files in files.chunks(LIST_LEN) {
            let deleted = self.lance.delete(&filter::of_files(files)).await;
            deleted.map_err(|error| self.write_failed(error))?;
        }
        Ok(())
    }

    /// Rewrites the files' rows with another path. Each turn is one commit: a row is
    /// never missing, wherever a crash comes.
    pub async fn move_files(&self, moved: &[(FileId, SourcePath)]) -> Result<(), StoreError> {
        for moved in moved.chunks(MOVED_LEN) {
            let files: Vec<_> = moved.iter().map(|(file, _)| *file).collect();
            let paths = moved.iter().map(|(file, path)| (*file, path)).collect();
            let query = self.lance.query().only_if_expr(filter::of_files(&files));
            let rows = self.collect(query).await?;
            let rows = rows.iter().map(|batch| self.columns(batch).with_paths(&paths));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let Some(schema) = rows.first().map(RecordBatch::schema) else { continue };
            let rows = RecordBatchIterator::new(rows.into_iter().map(Ok), schema);
            let mut merge = self.lance.merge_insert(&["id"]);
            merge.when_matched_update_all(None);
            let merged = merge.execute(Box::new(rows)).await;
            merged.map_err(|error| self.write_failed(error))?;
        }
        Ok(())
    }
}
