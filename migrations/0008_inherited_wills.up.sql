-- 0008 inherited wills: a gateway that lives publishes the wills of one that is gone, without waiting for anybody's start.

-- Why: each living gateway looks every second whether a number that nobody holds has left wills, and which of them are due. Without an
-- index that is a pass over the wills of every connected client (db/sql/will.sql, vacant_numbers).
CREATE INDEX wills_node ON wills (node, due_at);
