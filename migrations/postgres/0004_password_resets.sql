-- migrate:up

CREATE TABLE password_resets (
    id BIGINT PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    created_by BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT,
    FOREIGN KEY (user_id, workspace_id) REFERENCES users (id, workspace_id)
);
CREATE INDEX password_resets_by_user ON password_resets (user_id);

-- migrate:down
