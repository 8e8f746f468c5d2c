-- migrate:up

CREATE TABLE password_resets (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    token_hash BLOB NOT NULL UNIQUE,
    created_by INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER,
    FOREIGN KEY (user_id, workspace_id) REFERENCES users (id, workspace_id)
) STRICT;
CREATE INDEX password_resets_by_user ON password_resets (user_id);

-- migrate:down
