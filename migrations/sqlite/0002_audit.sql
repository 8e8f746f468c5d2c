-- migrate:up

CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor_id INTEGER,
    source TEXT NOT NULL CHECK (source IN ('api', 'command_line')),
    place TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id INTEGER NOT NULL,
    before_act TEXT,
    after_act TEXT
) STRICT;
CREATE INDEX audit_by_workspace ON audit (workspace_id, id);

-- migrate:down
