-- migrate:up

CREATE TABLE server (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    system_id TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    setup_used_at INTEGER
) STRICT;

CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('ids', 0);

CREATE TABLE workspaces (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    event_seq INTEGER NOT NULL DEFAULT 0,
    rights_seq INTEGER NOT NULL DEFAULT 0,
    floor_seq INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
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
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    UNIQUE (workspace_id, email_key),
    UNIQUE (workspace_id, handle_key),
    UNIQUE (id, workspace_id)
) STRICT;
CREATE INDEX users_by_email ON users (email_key);
CREATE INDEX users_by_workspace ON users (workspace_id, id);

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    salt BLOB NOT NULL,
    generation INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    user_agent TEXT NOT NULL DEFAULT '',
    revoked_at INTEGER,
    FOREIGN KEY (user_id, workspace_id) REFERENCES users (id, workspace_id)
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE invitations (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    email TEXT,
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    token_hash BLOB NOT NULL UNIQUE,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0 CHECK (uses <= max_uses),
    revoked_at INTEGER,
    FOREIGN KEY (created_by, workspace_id) REFERENCES users (id, workspace_id)
) STRICT;
CREATE INDEX invitations_by_workspace ON invitations (workspace_id, id);

CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
    chat_type TEXT NOT NULL CHECK (chat_type IN ('single', 'group', 'private_channel', 'public_channel')),
    name TEXT,
    name_key TEXT,
    description TEXT NOT NULL DEFAULT '',
    owner_id INTEGER NOT NULL,
    creator_id INTEGER NOT NULL,
    idempotency_key TEXT,
    fingerprint INTEGER,
    pair_low INTEGER,
    pair_high INTEGER,
    member_count INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER,
    deleted_at INTEGER,
    UNIQUE (id, workspace_id),
    CHECK ((chat_type = 'single') = (pair_low IS NOT NULL AND pair_high IS NOT NULL)),
    CHECK (pair_low < pair_high),
    CHECK (chat_type NOT IN ('private_channel', 'public_channel') OR name IS NOT NULL),
    CHECK ((name IS NULL) = (name_key IS NULL)),
    CHECK (chat_type <> 'single' OR (member_count = 2 AND name IS NULL AND archived_at IS NULL AND deleted_at IS NULL)),
    CHECK (member_count >= 0),
    FOREIGN KEY (owner_id, workspace_id) REFERENCES users (id, workspace_id),
    FOREIGN KEY (creator_id, workspace_id) REFERENCES users (id, workspace_id)
) STRICT;
CREATE UNIQUE INDEX chats_one_per_pair ON chats (workspace_id, pair_low, pair_high) WHERE pair_low IS NOT NULL;
CREATE UNIQUE INDEX chats_public_names ON chats (workspace_id, name_key) WHERE chat_type = 'public_channel' AND deleted_at IS NULL;
CREATE UNIQUE INDEX chats_idempotency ON chats (creator_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE chat_heads (
    chat_id INTEGER PRIMARY KEY,
    last_number INTEGER NOT NULL DEFAULT 0,
    last_message_id INTEGER
) STRICT;

CREATE TABLE memberships (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    workspace_id INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'member')),
    joined_seq INTEGER NOT NULL,
    left_seq INTEGER,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id),
    FOREIGN KEY (chat_id, workspace_id) REFERENCES chats (id, workspace_id),
    FOREIGN KEY (user_id, workspace_id) REFERENCES users (id, workspace_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_by_user ON memberships (user_id, chat_id);
CREATE INDEX memberships_by_joining ON memberships (chat_id, joined_at, user_id) WHERE left_seq IS NULL;

CREATE TABLE read_marks (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (chat_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    chat_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sender_id INTEGER NOT NULL,
    content TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX messages_by_number ON messages (chat_id, number);

CREATE TABLE message_versions (
    message_id INTEGER NOT NULL,
    until_seq INTEGER NOT NULL,
    content TEXT NOT NULL,
    revision INTEGER NOT NULL,
    edited_at INTEGER,
    PRIMARY KEY (message_id, until_seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_keys (
    idempotency_key BLOB NOT NULL,
    chat_id INTEGER NOT NULL,
    sender_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    fingerprint INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (idempotency_key, chat_id, sender_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    workspace_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    type INTEGER NOT NULL,
    chat_id INTEGER,
    user_id INTEGER,
    message_id INTEGER,
    data TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, seq)
) STRICT, WITHOUT ROWID;

-- migrate:down
