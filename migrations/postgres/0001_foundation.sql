-- migrate:up

CREATE TABLE server (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    system_id TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    setup_used_at BIGINT
);

CREATE SEQUENCE ids AS BIGINT;

CREATE TABLE workspaces (
    id BIGINT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    event_seq BIGINT NOT NULL DEFAULT 0,
    rights_seq BIGINT NOT NULL DEFAULT 0,
    floor_seq BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    fullname TEXT NOT NULL,
    fullname_key TEXT NOT NULL DEFAULT '',
    handle TEXT NOT NULL,
    handle_key TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'bot')),
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    timezone TEXT,
    language TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    UNIQUE (workspace_id, email_key),
    UNIQUE (workspace_id, handle_key),
    UNIQUE (id, workspace_id)
);
CREATE INDEX users_by_email ON users (email_key);
CREATE INDEX users_by_workspace ON users (workspace_id, id);

CREATE TABLE sessions (
    id BIGINT PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    salt BYTEA NOT NULL,
    generation BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    user_agent TEXT NOT NULL DEFAULT '',
    revoked_at BIGINT,
    FOREIGN KEY (user_id, workspace_id) REFERENCES users (id, workspace_id)
);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE invitations (
    id BIGINT PRIMARY KEY,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    email TEXT,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    token_hash BYTEA NOT NULL UNIQUE,
    created_by BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    max_uses BIGINT NOT NULL,
    uses BIGINT NOT NULL DEFAULT 0 CHECK (uses <= max_uses),
    revoked_at BIGINT,
    FOREIGN KEY (created_by, workspace_id) REFERENCES users (id, workspace_id)
);
CREATE INDEX invitations_by_workspace ON invitations (workspace_id, id);

CREATE TABLE chats (
    id BIGINT PRIMARY KEY,
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id),
    chat_type TEXT NOT NULL CHECK (chat_type IN ('single', 'group', 'private_channel', 'public_channel')),
    name TEXT,
    name_key TEXT,
    description TEXT NOT NULL DEFAULT '',
    owner_id BIGINT NOT NULL,
    creator_id BIGINT NOT NULL,
    idempotency_key TEXT,
    fingerprint BIGINT,
    pair_low BIGINT,
    pair_high BIGINT,
    member_count BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    deleted_at BIGINT,
    UNIQUE (id, workspace_id),
    CHECK ((chat_type = 'single') = (pair_low IS NOT NULL AND pair_high IS NOT NULL)),
    CHECK (pair_low < pair_high),
    CHECK (chat_type NOT IN ('private_channel', 'public_channel') OR name IS NOT NULL),
    CHECK ((name IS NULL) = (name_key IS NULL)),
    CHECK (chat_type <> 'single' OR (member_count = 2 AND name IS NULL AND archived_at IS NULL AND deleted_at IS NULL)),
    CHECK (member_count >= 0),
    FOREIGN KEY (owner_id, workspace_id) REFERENCES users (id, workspace_id),
    FOREIGN KEY (creator_id, workspace_id) REFERENCES users (id, workspace_id)
);
CREATE UNIQUE INDEX chats_one_per_pair ON chats (workspace_id, pair_low, pair_high) WHERE pair_low IS NOT NULL;
CREATE UNIQUE INDEX chats_public_names ON chats (workspace_id, name_key) WHERE chat_type = 'public_channel' AND deleted_at IS NULL;
CREATE UNIQUE INDEX chats_idempotency ON chats (creator_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE chat_heads (
    chat_id BIGINT PRIMARY KEY,
    last_number BIGINT NOT NULL DEFAULT 0,
    last_message_id BIGINT
);

CREATE TABLE memberships (
    chat_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    workspace_id BIGINT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
    joined_seq BIGINT NOT NULL,
    left_seq BIGINT,
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (chat_id, user_id),
    FOREIGN KEY (chat_id, workspace_id) REFERENCES chats (id, workspace_id),
    FOREIGN KEY (user_id, workspace_id) REFERENCES users (id, workspace_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, chat_id);
CREATE INDEX memberships_by_joining ON memberships (chat_id, joined_at, user_id) WHERE left_seq IS NULL;

CREATE TABLE read_marks (
    chat_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (chat_id, user_id)
);

CREATE TABLE messages (
    id BIGINT PRIMARY KEY,
    chat_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    sender_id BIGINT NOT NULL,
    content TEXT NOT NULL,
    revision BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    edited_at BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX messages_by_number ON messages (chat_id, number);

CREATE TABLE message_versions (
    message_id BIGINT NOT NULL,
    until_seq BIGINT NOT NULL,
    content TEXT NOT NULL,
    revision BIGINT NOT NULL,
    edited_at BIGINT,
    PRIMARY KEY (message_id, until_seq)
);

CREATE TABLE message_keys (
    idempotency_key BYTEA NOT NULL,
    chat_id BIGINT NOT NULL,
    sender_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    fingerprint BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (idempotency_key, chat_id, sender_id)
);

CREATE TABLE events (
    workspace_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    type SMALLINT NOT NULL,
    chat_id BIGINT,
    user_id BIGINT,
    message_id BIGINT,
    data TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

-- migrate:down
