-- 0010 idempotency keys: a POST that is repeated with its Idempotency-Key does nothing twice, whatever was killed in between.

-- A row comes before the request is carried out and gets its answer afterwards. status is NULL meanwhile, and stays so when the
-- outcome is not known (the gateway was killed, the database went away); whoever repeats the request then goes on with it. node says
-- where it is under way: a living node's row is left to that node. message_id is what a publish becomes, whichever try succeeds, so
-- that messages tells whether one has. body is NULL too when the answer showed a secret, which is kept nowhere. A row goes after
-- [limits] idempotency_ttl, or when its principal has more than max_idempotency_keys younger ones (db/idempotency_store.cpp).
CREATE TABLE idempotency_keys (
  principal    text NOT NULL,                -- "user:12"
  key          text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
  request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
  node         integer NOT NULL,
  message_id   bigint NOT NULL,
  status       smallint CHECK (status BETWEEN 200 AND 299),
  body         text,
  expires_at   timestamptz NOT NULL,
  PRIMARY KEY (principal, key)
);
CREATE INDEX idempotency_keys_newest ON idempotency_keys (principal, expires_at DESC);
CREATE INDEX idempotency_keys_expired ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_unknown ON idempotency_keys (message_id) WHERE status IS NULL;
