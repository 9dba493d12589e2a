-- The notification of a fact names its transaction, so that a listener knows what it still waits for when that transaction hides
-- behind an older one that runs. Several facts of one transaction stay one notification.
create or replace function engine.publish(p_type text, p_body jsonb) returns void
language sql security definer set search_path = pg_catalog, engine as $$
  insert into engine.fact (tenant_id, type, body) values (current_setting('careloop.tenant')::uuid, p_type, p_body);
  select pg_notify('careloop_fact', pg_current_xact_id()::text);
$$;
