-- 0003 registry notices: whoever may come in, and what they may do, is decided by rows that the command line, REST on another
-- node, or an operator's own SQL can change. Each change is told to every node, so that granting and revoking take effect at
-- once on clients that are connected. And names: users and devices say theirs in the same field of CONNECT.

-- What a principal shows to come in changed, or the principal is no more: its connections end. TG_ARGV[0] is its kind.
CREATE FUNCTION wake_login_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('wake_registry', 'login:' || TG_ARGV[0] || ':' || OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER users_gone AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION wake_login_changed('user');
CREATE TRIGGER users_password AFTER UPDATE OF password_hash ON users FOR EACH ROW
  WHEN (OLD.password_hash IS DISTINCT FROM NEW.password_hash) EXECUTE FUNCTION wake_login_changed('user');
CREATE TRIGGER devices_gone AFTER DELETE ON devices FOR EACH ROW EXECUTE FUNCTION wake_login_changed('device');
CREATE TRIGGER devices_secret AFTER UPDATE OF secret_hash ON devices FOR EACH ROW
  WHEN (OLD.secret_hash IS DISTINCT FROM NEW.secret_hash) EXECUTE FUNCTION wake_login_changed('device');
CREATE TRIGGER api_keys_changed AFTER UPDATE OR DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION wake_login_changed('service');

-- Pushes show a device's own name where the user gave it none.
CREATE FUNCTION wake_device_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('wake_registry', 'user:' || user_id) FROM pairings WHERE device_id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER devices_renamed AFTER UPDATE OF name ON devices FOR EACH ROW
  WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION wake_device_renamed();

-- rules:SUBJECT:NAME, as in the row; a name too long for a notice (8000 bytes) is left out, which means all of the subject.
CREATE FUNCTION wake_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rule acl_rules;
BEGIN
  FOREACH rule IN ARRAY ARRAY[OLD, NEW] LOOP
    CONTINUE WHEN rule.id IS NULL;
    PERFORM pg_notify('wake_registry',
                      'rules:' || rule.subject || ':' || CASE WHEN octet_length(rule.name) <= 1000 THEN rule.name ELSE '' END);
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER acl_rules_changed AFTER INSERT OR UPDATE OR DELETE ON acl_rules FOR EACH ROW EXECUTE FUNCTION wake_rules_changed();

-- One name space: a name is a user's or a device's, never both. The lock makes two sessions that add the same name to the two
-- tables wait for each other. The services' own name is nobody's.
CREATE FUNCTION wake_name_is_free() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted text := CASE TG_TABLE_NAME WHEN 'users' THEN to_jsonb(NEW) ->> 'username' ELSE to_jsonb(NEW) ->> 'id' END;
BEGIN
  PERFORM pg_advisory_xact_lock(x'77616e61'::integer, hashtext(wanted));
  IF wanted = 'api-key' OR (TG_TABLE_NAME = 'users' AND EXISTS (SELECT FROM devices WHERE id = wanted))
     OR (TG_TABLE_NAME = 'devices' AND EXISTS (SELECT FROM users WHERE username = wanted)) THEN
    RAISE unique_violation USING MESSAGE = 'the name ' || wanted || ' is taken by a user, a device or the services';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER users_name BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION wake_name_is_free();
CREATE TRIGGER devices_name BEFORE INSERT ON devices FOR EACH ROW EXECUTE FUNCTION wake_name_is_free();
