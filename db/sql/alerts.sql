-- What phones are still to be told by the gateway itself (db/alerts.cpp).

-- name: claim_alerts
-- $1: our node number; $2: of this user only, 0: of all. A phone's alerts are the matter of the gateway that has its session; where
-- none of the living has, of whoever comes first.
WITH ours AS (
  SELECT a.id FROM alerts a JOIN phones p ON p.id = a.phone_id LEFT JOIN sessions s ON s.client_id = p.client_id
  WHERE ($2::bigint = 0 OR p.user_id = $2)
    AND (coalesce(a.node, s.node, $1) = $1 OR coalesce(a.node, s.node) NOT IN (SELECT living_nodes()))
  ORDER BY a.id LIMIT $3 FOR UPDATE OF a SKIP LOCKED)
UPDATE alerts a SET node = $1 FROM ours, phones p WHERE a.id = ours.id AND p.id = a.phone_id
RETURNING a.id, p.client_id, a.event::text
