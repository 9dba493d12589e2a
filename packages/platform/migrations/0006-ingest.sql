-- Doors, who of them serves which device, what is known of a device's earlier messages, and quarantine.

-- A server process that appends for devices. `fence_seen`: the value of fence `door:<process>` up to which it has learned
-- which of its devices were taken over. `checkpoint`: every mark of a device it serves reflects the log up to here.
create table engine.door_process (
  process uuid primary key,
  started_at bigint not null,
  heard_until bigint not null,
  fence_seen bigint not null default 0,
  checkpoint bigint not null,
  ended boolean not null default false,
  told_down boolean not null default false -- its `door-down` stands in the log, said by itself or by another
);

create table engine.device_claim (
  device uuid primary key,
  process uuid not null
);
create index device_claim_process on engine.device_claim (process);

create table engine.device_mark (
  device uuid primary key,
  position bigint not null,
  key_id uuid not null,
  body bytea not null
);
alter table engine.device_mark alter column body set storage external;

-- Takes devices for a process. A former holder that may still append is fenced: its fence moves under the log head's lock,
-- so that its next append fails until it has looked which devices it still serves.
create function engine.claim_devices(p_devices uuid[], p_process uuid)
returns table (device uuid, previous uuid, checkpoint bigint, mark_position bigint, mark_key uuid, mark_body bytea)
language plpgsql as $$
#variable_conflict use_column
declare
  v_device uuid;
  v_previous uuid;
  v_checkpoint bigint;
  v_seen bigint;
  v_ended boolean;
  v_fence bigint;
begin
  -- Taken for dead and laid to rest while it was paused: whoever takes these devices from it must read the log again.
  update engine.door_process p set ended = false where p.process = p_process and p.ended;
  for v_device in select distinct d from unnest(p_devices) d order by d loop
    v_previous := null; v_checkpoint := null;
    insert into engine.device_claim as c values (v_device, p_process) on conflict (device) do nothing;
    if not found then
      select c.process into v_previous from engine.device_claim c where c.device = v_device for update;
      if v_previous = p_process then
        v_previous := null;
      else
        update engine.device_claim c set process = p_process where c.device = v_device;
        select p.fence_seen, p.checkpoint, p.ended into v_seen, v_checkpoint, v_ended
          from engine.door_process p where p.process = v_previous for update;
        if found and v_ended then
          v_checkpoint := null; -- it saved all its marks before it ended, and appends no more
        elsif found then
          select coalesce((select f.value from engine.fence f where f.name = 'door:' || v_previous), 0) into v_fence;
          if v_seen >= v_fence then
            perform 1 from engine.log_head h where h.partition = 0 for update;
            insert into engine.fence as f values ('door:' || v_previous, v_fence + 1)
              on conflict (name) do update set value = f.value + 1;
          end if;
          update engine.door_process p set checkpoint = least(p.checkpoint, v_checkpoint) where p.process = p_process;
        end if;
      end if;
    end if;
    return query
      select v_device, v_previous, v_checkpoint, m.position, m.key_id, m.body
        from (select 1) one left join engine.device_mark m on m.device = v_device;
  end loop;
end $$;

create table tenant.quarantine (
  tenant_id uuid not null default current_setting('careloop.tenant')::uuid,
  id uuid not null,
  device_id uuid,
  reason text not null,
  door text not null,
  format text not null,
  received_at bigint not null,
  position bigint not null,           -- of its entry in the reading log
  bytes int not null,
  key_id uuid not null,
  body bytea not null,                -- frame, topic, pointer and message, sealed under the tenant's quarantine key
  status text not null default 'held' check (status in ('held', 'replayed', 'dismissed')),
  settled_at bigint,
  outcome text,
  primary key (tenant_id, id)
);
create index quarantine_held on tenant.quarantine (tenant_id, status, received_at);
create index quarantine_device on tenant.quarantine (tenant_id, device_id, received_at);
select engine.make_tenant_table('tenant.quarantine');
