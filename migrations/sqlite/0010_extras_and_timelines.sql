-- migrate:up

-- The optional fields of a message: one JSON object, or NULL. Earlier contents keep their own.
ALTER TABLE messages ADD COLUMN extras TEXT;
ALTER TABLE message_versions ADD COLUMN extras TEXT;

-- A timeline has its own numbers, its own head and a read mark per person. The timeline of a chat has the id of the
-- chat, and messages without a thread belong to it.
ALTER TABLE messages ADD COLUMN thread_id INTEGER;
DROP INDEX messages_by_number;
CREATE UNIQUE INDEX messages_by_number ON messages ((COALESCE(thread_id, chat_id)), number);
DROP INDEX messages_deleted;
CREATE INDEX messages_deleted ON messages ((COALESCE(thread_id, chat_id)), number) WHERE deleted_at IS NOT NULL;
ALTER TABLE chat_heads RENAME TO timelines;
ALTER TABLE timelines RENAME COLUMN chat_id TO id;
ALTER TABLE read_marks RENAME COLUMN chat_id TO timeline_id;

-- migrate:down
