-- 0007 nodes: what the start of one gateway must leave to others that live on the same database.

-- Why: a start takes every client for gone that was connected when the process ended. That is so for rows of its own number and of
-- numbers that nobody holds; the clients of a living gateway are connected. NULL: written before this migration.
ALTER TABLE sessions ADD COLUMN node integer;

-- The gateways that live: a node's number is an advisory lock that ends with its holder's connection (db/node_lease.cpp).
CREATE FUNCTION living_nodes() RETURNS SETOF integer LANGUAGE sql STABLE AS $$
  SELECT objid::integer FROM pg_locks
  WHERE locktype = 'advisory' AND classid = 2002873189 AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;
