-- 0012 topic cache: what a list of topics shows beside the entries themselves, and entries that a back end gives.

-- Why: an entry lives by its device's pairing or by a rule of acl_rules. What a back end gives (POST /v1/users/{username}/topics) it
-- vouches for itself.
ALTER TABLE topic_entries ADD COLUMN granted boolean NOT NULL DEFAULT false;

-- The newest message of an entry is the newest that waits in the inbox, or this: the newest that was acknowledged or expired. Its
-- time is in its id (broker-core/session/message_ids.hpp). So a publish writes nothing for it.
ALTER TABLE topic_entries ADD COLUMN last_message_id bigint;
DROP INDEX inbox_entry;
CREATE INDEX inbox_entry ON inbox (entry_id, message_id);

CREATE FUNCTION wake_message_left_inbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE topic_entries e SET last_message_id = gone.message_id
  FROM (SELECT entry_id, max(message_id) AS message_id FROM left_rows WHERE entry_id IS NOT NULL GROUP BY entry_id) gone
  WHERE e.id = gone.entry_id AND coalesce(e.last_message_id, 0) < gone.message_id;
  RETURN NULL;
END $$;
CREATE TRIGGER inbox_left AFTER DELETE ON inbox REFERENCING OLD TABLE AS left_rows
  FOR EACH STATEMENT EXECUTE FUNCTION wake_message_left_inbox();

-- Reading a message is no change of the topic cache: nobody is to load the user again for it.
DROP TRIGGER entries_changed ON topic_entries;
CREATE TRIGGER entries_changed AFTER INSERT OR DELETE OR UPDATE OF user_id, device_id, filter, title, subscribed, push, granted
  ON topic_entries FOR EACH ROW EXECUTE FUNCTION wake_user_changed();
