-- migrate:up

CREATE TABLE audit (
    id BIGINT PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    action TEXT NOT NULL,
    actor_id BIGINT,
    source TEXT NOT NULL CHECK (source IN ('api', 'command_line')),
    place TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    before_act TEXT,
    after_act TEXT
);
CREATE INDEX audit_by_workspace ON audit (workspace_id, id);

-- migrate:down
