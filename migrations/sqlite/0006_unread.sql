-- migrate:up

ALTER TABLE read_marks ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

CREATE INDEX messages_deleted ON messages (chat_id, number) WHERE deleted_at IS NOT NULL;

-- Every message up to this number is deleted, so that a chat emptied by retention is counted without reading it.
ALTER TABLE chat_heads ADD COLUMN emptied_through INTEGER NOT NULL DEFAULT 0;
UPDATE chat_heads SET emptied_through = COALESCE(
    (SELECT m.number - 1 FROM messages m
        WHERE m.chat_id = chat_heads.chat_id AND m.deleted_at IS NULL ORDER BY m.number LIMIT 1),
    last_number);

-- migrate:down
