-- 0006 wills: what is to be said of a client when it is gone without a word (v5 section 3.1.2.5), also when the gateway goes first.

-- Why a table of its own, without a reference to sessions: a will belongs to a connection, and a clean session has no row there.
-- A row comes with the CONNECT, before its CONNACK; it goes with the client's DISCONNECT, or in the transaction that brings the
-- message it became to those who are owed it (broker-core/broker_will.cpp). node says whose client it is: a start takes up the
-- rows of its own number and of numbers that nobody holds, so a living node's wills stay where they are.
CREATE TABLE wills (
  id               bigint PRIMARY KEY,
  node             integer NOT NULL,
  client_id        text NOT NULL,
  principal_kind   text NOT NULL CHECK (principal_kind IN ('anonymous', 'user', 'device', 'service')),
  principal_id     text NOT NULL,
  topic            text NOT NULL,
  payload          bytea NOT NULL,
  qos              smallint NOT NULL CHECK (qos BETWEEN 0 AND 2),
  retain           boolean NOT NULL,
  properties       bytea NOT NULL DEFAULT '',
  delay_s          bigint NOT NULL DEFAULT 0 CHECK (delay_s BETWEEN 0 AND 4294967295),
  message_expiry_s bigint CHECK (message_expiry_s BETWEEN 0 AND 4294967295),
  due_at           timestamptz           -- NULL while the client is connected; never sooner than this
);
ALTER TABLE wills ALTER COLUMN payload SET STORAGE EXTERNAL;
