-- A node's number is a session-level advisory lock (class 0x77616b65, "wake"): it is free again when its holder's connection
-- ends, however that came. db/node_lease.cpp takes it, db/sql/outbox.sql looks whether it is held.

-- name: try_node_lock
SELECT pg_try_advisory_lock(2002873189, $1)
