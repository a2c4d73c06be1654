//! One LanceDB table, with errors that name it.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::{
    array::{RecordBatch, RecordBatchIterator},
    datatypes::SchemaRef,
    error::ArrowError,
};
use futures::TryStreamExt;
use lance::{Dataset, dataset::ProjectionRequest};
use lancedb::{
    Connection,
    database::CreateTableMode,
    datafusion::logical_expr::Expr,
    query::{ExecutableQuery, QueryBase, Select},
};
use rummage_corpus::FileId;

use crate::{
    Origin, StoreError,
    error::Doing,
    filter,
    rows::{self, Columns},
    shelf::Row,
    snapshot::View,
    sync,
};

/// Ids or hashes in one condition. Longer lists are asked for in turns.
pub(crate) const LIST_LEN: usize = 1000;

#[derive(Clone)]
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
        sync::roll_back(&path)?;
        match Self::open_or_create(connection, &path, name, schema.clone()).await {
            Err(StoreError::Corrupt { .. }) => sync::set_aside(&path)?,
            // An older Rummage made it: its rows are read from the files anew.
            Ok(table) if !table.has_columns(&schema).await? => {
                drop(table);
                let dropped = connection.drop_table(name, &[]).await;
                dropped.map_err(|error| StoreError::new(Doing::OpenTable, path.clone(), error))?;
            }
            opened => return opened,
        }
        Self::open_or_create(connection, &path, name, schema).await
    }

    async fn has_columns(&self, schema: &SchemaRef) -> Result<bool, StoreError> {
        let there = self.lance.schema().await.map_err(|error| self.read_failed(error))?;
        Ok(schema.fields().iter().all(|field| there.field_with_name(field.name()).is_ok()))
    }

    async fn open_or_create(
        connection: &Connection,
        path: &Path,
        name: &str,
        schema: SchemaRef,
    ) -> Result<Table, StoreError> {
        let path = path.to_owned();
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

    /// `None` where there is no table of that name and shape.
    pub async fn open_existing(
        connection: &Connection,
        dir: &Path,
        name: &str,
        schema: SchemaRef,
    ) -> Result<Option<Table>, StoreError> {
        let path = dir.join(format!("{name}.lance"));
        if !path.is_dir() {
            return Ok(None);
        }
        match connection.open_table(name).execute().await {
            Ok(lance) => {
                let table = Table { lance, path };
                Ok(table.has_columns(&schema).await?.then_some(table))
            }
            // It is being made at this moment.
            Err(lancedb::Error::TableNotFound { .. }) => Ok(None),
            Err(error) => Err(StoreError::new(Doing::OpenTable, path, error)),
        }
    }

    pub fn folder_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
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

    /// The latest version. Asks the disk.
    pub async fn dataset(&self) -> Result<Arc<Dataset>, StoreError> {
        let tables = self.lance.dataset().expect("the table is a local one");
        tables.get().await.map_err(|error| self.read_failed(error))
    }

    /// These columns of these rows, in their order.
    pub async fn take(
        &self,
        view: &View,
        rows: &[Row],
        columns: &[&str],
    ) -> Result<RecordBatch, StoreError> {
        let addresses: Vec<_> = rows.iter().map(|row| view.shelf.address(*row)).collect();
        let columns = ProjectionRequest::from_columns(columns, view.dataset.schema());
        let taken = view.dataset.take_rows(&addresses, columns).await;
        taken.map_err(|error| self.read_failed(error.into()))
    }

    pub async fn count(&self) -> Result<usize, StoreError> {
        self.lance.count_rows(None).await.map_err(|error| self.read_failed(error))
    }

    pub async fn rows_per_file(
        &self,
        files: &[FileId],
    ) -> Result<HashMap<FileId, u64>, StoreError> {
        let mut rows = HashMap::new();
        for files in files.chunks(LIST_LEN) {
            for batch in self.select(filter::of_files(files), &["file"]).await? {
                for file in self.columns(&batch).files()? {
                    *rows.entry(file).or_default() += 1;
                }
            }
        }
        Ok(rows)
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

    /// Lets the files' rows say where their files are now, and of when. One commit: a
    /// row is never missing, wherever a crash comes.
    pub async fn place(&self, origins: &[Origin]) -> Result<(), StoreError> {
        let mut placed = Vec::new();
        for origins in origins.chunks(LIST_LEN) {
            let files: Vec<_> = origins.iter().map(|origin| origin.file).collect();
            let by_file: HashMap<_, _> =
                origins.iter().map(|origin| (origin.file, origin)).collect();
            for batch in self.select(filter::of_files(&files), &["id"]).await? {
                for id in self.columns(&batch).passage_ids()? {
                    placed.extend(by_file.get(&id.file()).map(|origin| (id, *origin)));
                }
            }
        }
        // A row that were there twice would be an error to the database.
        placed.sort_unstable_by_key(|(id, _)| *id);
        placed.dedup_by_key(|(id, _)| *id);
        if placed.is_empty() {
            return Ok(());
        }
        let rows = rows::place_batch(&placed).map_err(|error| self.write_failed(error.into()))?;
        let schema = rows.schema();
        let rows = RecordBatchIterator::new([Ok(rows)], schema);
        let mut merge = self.lance.merge_insert(&["id"]);
        merge.when_matched_update_all(None);
        let merged = merge.execute(Box::new(rows)).await;
        merged.map_err(|error| self.write_failed(error)).map(drop)
    }
}
