-- 0011 households: whose a device is, who else may use it, and what phones are still to be told of it. Why by triggers: a pairing
-- also ends with its user, its device, the command line or an operator's SQL, and the rules below hold whoever ends it.

-- ---------------------------------------------------------------- whose it is

-- A device that is paired has exactly one owner: the first to pair, or whom an owner made it since.
ALTER TABLE pairings ADD COLUMN role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'member'));
UPDATE pairings p SET role = 'owner'
WHERE NOT EXISTS (SELECT FROM pairings q
                  WHERE q.device_id = p.device_id AND (q.paired_at, q.user_id) < (p.paired_at, p.user_id));
CREATE UNIQUE INDEX pairings_owner ON pairings (device_id) WHERE role = 'owner';

-- Of two first pairings at once the second waits here and becomes a member.
CREATE FUNCTION wake_pairing_role() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM devices WHERE id = NEW.device_id FOR NO KEY UPDATE;
  NEW.role := CASE WHEN EXISTS (SELECT FROM pairings WHERE device_id = NEW.device_id AND role = 'owner')
                   THEN 'member' ELSE 'owner' END;
  RETURN NEW;
END $$;
CREATE TRIGGER pairings_role BEFORE INSERT ON pairings FOR EACH ROW EXECUTE FUNCTION wake_pairing_role();

-- An owner's code for somebody else: to become a member, or (role 'owner') to take the device over, when everybody else's
-- pairing ends. Void unless user_id is the owner still. Accepted ones stay until they expire, so that accepting may be repeated.
CREATE TABLE invitations (
  code        text PRIMARY KEY,
  user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
  device_id   text NOT NULL REFERENCES devices ON DELETE CASCADE,
  role        text NOT NULL CHECK (role IN ('owner', 'member')),
  expires_at  timestamptz NOT NULL,
  accepted_by bigint REFERENCES users ON DELETE CASCADE
);
CREATE INDEX invitations_device ON invitations (device_id);
CREATE INDEX invitations_user ON invitations (user_id);
CREATE INDEX invitations_accepted ON invitations (accepted_by) WHERE accepted_by IS NOT NULL;

-- ---------------------------------------------------------------- what phones are to be told

-- Why a row for each phone: it is written in the transaction of what it tells of, and removed in the one that brings its message to
-- the phone's queue and outbox. So it is told if and only if it happened, once, whoever is killed in between. node: who is at it.
CREATE TABLE alerts (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  phone_id bigint NOT NULL REFERENCES phones ON DELETE CASCADE,
  event    jsonb NOT NULL CHECK (jsonb_typeof(event) = 'object'),   -- as it will be on $wake/events
  node     integer
);
CREATE INDEX alerts_phone ON alerts (phone_id);

CREATE FUNCTION wake_tell(whom bigint, event jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO alerts (phone_id, event) SELECT id, wake_tell.event FROM phones WHERE user_id = whom;
  IF FOUND THEN
    PERFORM pg_notify('wake_registry', 'alerts:' || whom);
  END IF;
END $$;

-- Of somebody who came or went the owner is told; everybody of what is theirs. Members go with the owner.
CREATE FUNCTION wake_pairing_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed pairings := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
  device jsonb := jsonb_build_object('device_id', changed.device_id, 'name', changed.name);
  is_coming boolean := TG_OP = 'INSERT';
  owner pairings;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.role <> NEW.role THEN
    PERFORM wake_tell(NEW.user_id, device || jsonb_build_object('type', 'role_changed', 'role', NEW.role));
    RETURN NULL;
  END IF;
  PERFORM wake_tell(changed.user_id, device || jsonb_build_object('type', CASE TG_OP WHEN 'DELETE' THEN 'unpaired' ELSE 'paired' END));
  IF TG_OP = 'UPDATE' THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'DELETE' AND OLD.role = 'owner' THEN
    DELETE FROM pairings WHERE device_id = OLD.device_id;
    RETURN NULL;
  END IF;
  SELECT * INTO owner FROM pairings WHERE device_id = changed.device_id AND role = 'owner' AND user_id <> changed.user_id;
  IF FOUND THEN
    PERFORM wake_tell(owner.user_id, jsonb_build_object(
      'type', CASE WHEN is_coming THEN 'member_joined' ELSE 'member_left' END, 'device_id', owner.device_id, 'name', owner.name,
      'username', coalesce((SELECT username FROM users WHERE id = changed.user_id), '')));
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER pairings_told AFTER INSERT OR DELETE ON pairings FOR EACH ROW EXECUTE FUNCTION wake_pairing_told();
CREATE TRIGGER pairings_told_again AFTER UPDATE ON pairings FOR EACH ROW
  WHEN (OLD.paired_at <> NEW.paired_at OR OLD.role <> NEW.role) EXECUTE FUNCTION wake_pairing_told();
