CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE roots (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    path    BLOB NOT NULL UNIQUE,
    away    TEXT                        -- why it cannot be read now; NULL when it can
);

CREATE TABLE files (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    root      INTEGER,                  -- NULL once no longer followed
    path      BLOB NOT NULL UNIQUE,
    bytes     INTEGER NOT NULL,
    modified  INTEGER NOT NULL,         -- nanoseconds since 1970
    inode     INTEGER NOT NULL,
    device    INTEGER NOT NULL,
    version   INTEGER NOT NULL DEFAULT 0, -- raised with every change seen on disk
    stage     INTEGER NOT NULL,
    reached   INTEGER NOT NULL DEFAULT 0, -- WORDED or INDEXED if the store has it so for `hash`
    hash      BLOB,                     -- of the contents that the store has
    passages  INTEGER NOT NULL DEFAULT 0,
    reason    TEXT,
    transient INTEGER NOT NULL DEFAULT 0, -- a failure that another try may mend
    worded    INTEGER NOT NULL DEFAULT 0, -- passage rows may be in the store
    vectored  INTEGER NOT NULL DEFAULT 0  -- vector rows may be in the store
);

CREATE INDEX files_pending ON files (id) WHERE stage = 0;
CREATE INDEX files_worded  ON files (id) WHERE stage = 1;
CREATE INDEX files_failed  ON files (id) WHERE stage = 4;
CREATE INDEX files_leaving ON files (id) WHERE stage = 5;
CREATE INDEX files_left    ON files (id) WHERE stage = 6 OR (stage IN (3, 4) AND vectored AND bytes >= 0);
CREATE INDEX files_root    ON files (root, id);

CREATE TABLE tally (
    root  INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    files INTEGER NOT NULL,
    passages INTEGER NOT NULL,
    PRIMARY KEY (root, stage)
) WITHOUT ROWID;

CREATE TRIGGER tally_insert AFTER INSERT ON files WHEN new.root IS NOT NULL BEGIN
    INSERT INTO tally VALUES (new.root, new.stage, 1, new.passages)
    ON CONFLICT DO UPDATE SET files = files + 1, passages = passages + excluded.passages;
END;
CREATE TRIGGER tally_delete AFTER DELETE ON files WHEN old.root IS NOT NULL BEGIN
    UPDATE tally SET files = files - 1, passages = passages - old.passages
    WHERE root = old.root AND stage = old.stage;
END;
CREATE TRIGGER tally_update AFTER UPDATE OF root, stage, passages ON files BEGIN
    UPDATE tally SET files = files - 1, passages = passages - old.passages
    WHERE root = old.root AND stage = old.stage;
    INSERT INTO tally SELECT new.root, new.stage, 1, new.passages WHERE new.root IS NOT NULL
    ON CONFLICT DO UPDATE SET files = files + 1, passages = passages + excluded.passages;
END;
