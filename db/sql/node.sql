-- A node's number is a session-level advisory lock (class 0x77616b65, "wake"): it is free again when its holder's connection
-- ends, however that came. db/node_lease.cpp takes it, db/sql/outbox.sql looks whether it is held.

-- name: installation_mark
-- pg_control_system() may be called by everybody; a dump restored elsewhere gets another mark.
SELECT left(md5(system_identifier::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())), 16)
FROM pg_control_system()

-- name: try_node_lock
SELECT pg_try_advisory_lock(2002873189, $1)
