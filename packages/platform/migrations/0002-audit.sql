-- Who did what, to whom, when and why. A plain append-only table: careloop_app may add and read, nobody may change.
create table tenant.audit_entry (
  tenant_id uuid not null,
  id bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  principal_kind text not null,       -- staff, service, device, cli, system, anonymous
  principal_id text not null,         -- opaque
  action text not null,
  outcome text not null,              -- success, denied, failed
  resource text not null,             -- what kind of thing: subject, device, alert, series
  resource_id text,                   -- opaque; null for a search or an act on no single thing
  subject_id uuid,                    -- whose data it was
  purpose text not null,              -- purpose of use
  request_id text,
  detail_key_id uuid,
  detail bytea,                       -- sealed under detail_key_id: what may hold PHI (a search text, a reason)
  primary key (tenant_id, id),
  check ((detail is null) = (detail_key_id is null))
);
-- An accounting of disclosures asks by subject; an inquiry asks by principal; the page asks by time.
create index audit_entry_subject on tenant.audit_entry (tenant_id, subject_id, at) where subject_id is not null;
create index audit_entry_principal on tenant.audit_entry (tenant_id, principal_id, at);
create index audit_entry_at on tenant.audit_entry using brin (at);

select engine.make_tenant_table('tenant.audit_entry', 'select, insert');

-- Also for the owner of the table: what was written stays until a retention act drops it as a whole.
create function engine.refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit entries are never changed or removed' using errcode = 'insufficient_privilege';
end $$;
create trigger audit_entry_append_only before update or delete on tenant.audit_entry
  for each statement execute function engine.refuse_audit_change();
create trigger audit_entry_no_truncate before truncate on tenant.audit_entry
  for each statement execute function engine.refuse_audit_change();
