-- migrate:up

-- The era that the workspace's next number belongs to, unless the server has begun another one since.
ALTER TABLE workspaces ADD COLUMN era TEXT NOT NULL DEFAULT '';

-- Numbers from first_seq on, up to the next row of the workspace, belong to this era.
CREATE TABLE eras (
    workspace_id INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    era TEXT NOT NULL,
    PRIMARY KEY (workspace_id, first_seq)
) STRICT, WITHOUT ROWID;
UPDATE workspaces SET era = server.epoch FROM server;
INSERT INTO eras (workspace_id, first_seq, era) SELECT id, floor_seq, era FROM workspaces WHERE era <> '';

-- migrate:down
