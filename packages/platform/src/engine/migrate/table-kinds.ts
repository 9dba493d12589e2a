/**
 * Tables are of three kinds, and a table of no kind is a way past row-level security. *Tenant*: schema `tenant`, every row says
 * whose it is and PostgreSQL holds rooms to it. *Engine* and *auth*: schemas `engine` and `auth`, closed to careloop_app.
 */
import type { ClientBase } from 'pg'

/** Also schema `pgboss`, in which a library keeps timers, closed likewise. */
const RULES: readonly { readonly sql: string; readonly says: string }[] = [
  {
    says: 'lies in none of the schemas tenant, engine, auth, pgboss',
    sql: `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't'
        and n.nspname not in ('tenant', 'engine', 'auth', 'pgboss', 'pg_catalog', 'information_schema')
        and n.nspname not like 'pg_toast%'`,
  },
  {
    says: 'has no column tenant_id uuid not null',
    sql: `select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'tenant'::regnamespace
      and c.relkind in ('r', 'p') and not exists (select from pg_attribute a where a.attrelid = c.oid
        and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype and a.attnotnull and not a.attisdropped)`,
  },
  {
    says: 'has row-level security off or not forced: call engine.make_tenant_table',
    sql: `select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'tenant'::regnamespace
      and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
  },
  {
    says: 'has no policy, so that nobody can use it',
    sql: `select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'tenant'::regnamespace
      and c.relkind in ('r', 'p') and not exists (select from pg_policy p where p.polrelid = c.oid)`,
  },
  {
    // Permissive policies add up: a single one that does not ask for the tenant opens the table. One for roles that careloop_app is
    // not (the sealer of the audit trail, which reads every tenant's entries) opens it to no tenant.
    says: 'has a policy that does not compare tenant_id with careloop.tenant for reading and writing',
    sql: `select p.polrelid::regclass::text as name from pg_policy p
      join pg_class c on c.oid = p.polrelid and c.relnamespace = 'tenant'::regnamespace
      where p.polpermissive
        and exists (select from unnest(p.polroles) r where r = 0 or pg_has_role('careloop_app', r, 'member'))
        and exists (
        select from (values (p.polqual, p.polcmd <> 'a'), (p.polwithcheck, p.polcmd in ('a', 'w', '*'))) e (expr, needed)
        where e.needed and pg_get_expr(e.expr, p.polrelid) is distinct from
          '(tenant_id = (current_setting(''careloop.tenant''::text))::uuid)')`,
  },
  {
    says: 'is a view that runs with the rights of its owner: make it security_invoker',
    sql: `select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'tenant'::regnamespace
      and (c.relkind in ('m', 'f') or (c.relkind = 'v' and not coalesce(c.reloptions::text[] && array['security_invoker=true', 'security_invoker=on'], false)))`,
  },
  {
    says: 'is open to careloop_app or everybody, though it is no tenant table',
    sql: `select distinct c.oid::regclass::text as name from pg_class c
      join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('engine', 'auth', 'pgboss')
      left join pg_attribute a on a.attrelid = c.oid,
      lateral (select * from aclexplode(c.relacl) union all select * from aclexplode(a.attacl)) g
      where g.grantee in (0, 'careloop_app'::regrole)`,
  },
  {
    says: 'is open to everybody, not only to careloop_app',
    sql: `select distinct c.oid::regclass::text as name from pg_class c, aclexplode(c.relacl) g
      where c.relnamespace = 'tenant'::regnamespace and g.grantee = 0`,
  },
  {
    // It acts with its owner's rights: whoever may call it passes row-level security, and a search_path of the caller's
    // choice would let him choose its tables too.
    says: 'is security definer without a fixed search_path or callable by everybody',
    sql: `select f.oid::regprocedure::text as name from pg_proc f join pg_namespace n on n.oid = f.pronamespace
      where f.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
        and (not exists (select from unnest(f.proconfig) s where s like 'search_path=%')
          or exists (select from aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) g where g.grantee = 0))`,
  },
]

/** Changes the connection's search_path. @returns in words what is of no kind or against its kind; empty when all is well */
export async function checkTableKinds(client: ClientBase): Promise<readonly string[]> {
  const found: string[] = []
  await client.query('set search_path = pg_catalog') // so that every name is written with its schema
  for (const { sql, says } of RULES) {
    const { rows } = await client.query<{ name: string }>(`${sql} order by 1`)
    found.push(...rows.map((row) => `${row.name} ${says}`))
  }
  return found
}
