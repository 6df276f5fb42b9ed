-- 0013 queue without foreign keys: a row of session_queue is written for every message to everybody who is away, and checking its
-- two foreign keys cost more than writing it (docs/performance.md). What they promised is kept otherwise:
--   a session's rows go with it   the trigger below, in the same transaction. Who writes rows locks the session first, as the check
--                                 of the key did, but once in a transaction and not once a row (db/sql/commit.sql, lock_sessions):
--                                 otherwise the next session of that name could find the rows of the one before
--   a message's rows go with it   the trigger. A row written at the same moment may be left over; it is no message, since whoever
--                                 reads a queue joins messages, and ids are not used again. The sweep removes it
ALTER TABLE session_queue
  DROP CONSTRAINT session_queue_client_id_fkey,
  DROP CONSTRAINT session_queue_message_id_fkey;

-- Few go at a time and the queue may be long: by index, whatever the statistics of the moment say.
CREATE FUNCTION wake_sessions_gone() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  DELETE FROM session_queue q USING gone WHERE q.client_id = gone.client_id;
  RETURN NULL;
END $$;
CREATE TRIGGER sessions_queue_gone AFTER DELETE ON sessions REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION wake_sessions_gone();

CREATE FUNCTION wake_messages_gone() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  DELETE FROM session_queue q USING gone WHERE q.message_id = gone.id;
  RETURN NULL;
END $$;
CREATE TRIGGER messages_queue_gone AFTER DELETE ON messages REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION wake_messages_gone();
