//! A fragment's vectors in a file of our own, each at a place that follows from its
//! row ([`crate::beside`]). Where vectors are too many for memory, the few hundred that a
//! question compares in full are read from here; where they are not, all are, when an
//! index is opened. The database has to plan and decode, which takes many times as long.

use std::{
    fs::File,
    io::{self, Write},
    sync::OnceLock,
};

use lance::{Dataset, dataset::fragment::FileFragment};

use crate::{
    Store, StoreError,
    beside::{Beside, FragmentFile, Fresh, Kind, read_at},
    blocking,
    numbers::Numbers,
    planes::Planes,
    rows::{self, VECTOR},
    shelf,
    table::Table,
};

/// First in each file, so that another form of them is not taken for this one.
const FORM: &[u8; 8] = b"vectors1";

/// The form, then the numbers a vector in four bytes.
const HEAD: usize = FORM.len() + 4;

/// Rows between two that are wanted, up to which both are read at once.
const GAP: u32 = 4;

/// The most bytes read at once.
const RUN: usize = 64 << 10;

/// One fragment's file; opened when it is first asked.
#[derive(Debug)]
pub(crate) struct Flat {
    beside: FragmentFile,
    dims: usize,
    file: OnceLock<File>,
}

impl Flat {
    /// Of a fragment of this table. Whether there is a file is not looked at.
    pub fn of(table: &Table, fragment: &FileFragment) -> Option<Flat> {
        let field = fragment.schema().field(VECTOR)?;
        let dims = rows::dims(&field.data_type())?;
        let beside = FragmentFile::of(Kind::Vectors, table, fragment, VECTOR)?;
        Some(Flat { beside, dims, file: OnceLock::new() })
    }

    /// The similarity to `vector` of the rows at these places of the fragment, which are
    /// in order. Blocks on the disk.
    ///
    /// # Errors
    /// There is no such file, or it does not hold all of them.
    pub fn similarities(&self, vector: &[f32], offsets: &[u32]) -> io::Result<Vec<f32>> {
        let mut similarities = Vec::with_capacity(offsets.len());
        self.each(offsets, |written| similarities.push(Numbers::similarity(written, vector)))?;
        Ok(similarities)
    }

    /// The vectors at these places of the fragment, which are in order. Blocks on the disk.
    ///
    /// # Errors
    /// There is no such file, or it does not hold all of them.
    pub fn planes(&self, offsets: &[u32]) -> io::Result<Planes> {
        Planes::filled(offsets.len(), self.dims, |rows, part| {
            self.each(&offsets[rows], |written| part.push(&Numbers::written(written)))
        })
    }

    /// The rows at these places, which are in order, as they were written.
    fn each(&self, offsets: &[u32], mut take: impl FnMut(&[u8])) -> io::Result<()> {
        let file = self.open()?;
        let row = Numbers::bytes(self.dims);
        let mut bytes = Vec::new();
        let mut rest = offsets;
        while let Some(first) = rest.first() {
            let end = |last: u32| (last - first + 1) as usize * row;
            let together = |pair: &[u32]| pair[1] - pair[0] <= GAP && end(pair[1]) <= RUN;
            let more = rest.windows(2).take_while(|pair| together(pair)).count();
            let (run, after) = rest.split_at(more + 1);
            bytes.resize(end(run[more]), 0);
            read_at(file, &mut bytes, (HEAD + *first as usize * row) as u64)?;
            for offset in run {
                let start = (offset - first) as usize * row;
                take(&bytes[start..start + row]);
            }
            rest = after;
        }
        Ok(())
    }

    fn open(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file);
        }
        let file = self.open_anew()?;
        Ok(self.file.get_or_init(|| file))
    }

    fn open_anew(&self) -> io::Result<File> {
        let file = File::open(&self.beside.path)?;
        let mut head = [0; HEAD];
        read_at(&file, &mut head, 0)?;
        if head == self.head() { Ok(file) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn head(&self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[..FORM.len()].copy_from_slice(FORM);
        head[FORM.len()..].copy_from_slice(&(self.dims as u32).to_le_bytes());
        head
    }
}

impl Beside for Flat {
    fn beside(&self) -> &FragmentFile {
        &self.beside
    }

    fn has_file(&self) -> bool {
        let length = self.open_anew().and_then(|file| file.metadata()).map(|of| of.len());
        let whole = (HEAD + self.beside.rows * Numbers::bytes(self.dims)) as u64;
        length.is_ok_and(|length| length == whole)
    }

    async fn write(
        &self,
        store: &Store,
        dataset: &Dataset,
        fragment: &FileFragment,
    ) -> Result<(), StoreError> {
        let (dims, rows, head) = (self.dims, self.beside.rows, self.head());
        let nothing = vec![0; Numbers::bytes(dims)];
        let mut fresh = Fresh::begin(self.beside.path.clone())?;
        fresh.write(|file| file.write_all(&head))?;
        let mut scan = dataset.scan();
        scan.with_fragments(vec![fragment.metadata().clone()]);
        let (table, gone) = (&store.inner.vectors, nothing.clone());
        let written =
            shelf::fold_batches(table, &mut scan, &[VECTOR], (fresh, 0), move |state, columns| {
                let (fresh, next) = state;
                let vectors = columns.vectors()?.chunks_exact(dims);
                for (address, vector) in columns.addresses()?.iter().zip(vectors) {
                    let (_, offset) = shelf::parts(*address);
                    fresh.write(|file| {
                        // Rows that are gone keep their places.
                        (*next..offset).try_for_each(|_| file.write_all(&gone))?;
                        Numbers::of(vector).write(file)
                    })?;
                    *next = offset + 1;
                }
                Ok(())
            });
        let (mut fresh, next) = written.await?;
        blocking(move || {
            let mut gone = next as usize..rows;
            fresh.write(|file| gone.try_for_each(|_| file.write_all(&nothing)))?;
            fresh.finish()
        })
        .await
    }
}
