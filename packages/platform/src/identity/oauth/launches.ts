/** A patient's page opens an app: who, which app and which patient are bound to an opaque word that is good once, for five minutes. */
import type { Engine, EngineTx } from '../../engine/index.ts'
import { type ActedBy, recordAct } from '../acted-by.ts'
import type { StaffPrincipal } from '../principal.ts'
import { sha256 } from '../service-tokens.ts'
import { type Apps, appNotFound } from './apps.ts'
import { redirectTo } from './redirect-uri.ts'

const launchMs = 5 * 60_000

interface Wanted {
  readonly app: string
  readonly subject: string
  readonly fhirUrl: string
}

/** @param subject that they see, which the caller has made sure of. @returns where the app opens @throws Failure `app-not-found` */
export async function launchApp(
  { engine, apps }: { engine: Engine; apps: Apps },
  person: StaffPrincipal,
  { app: id, subject, fhirUrl }: Wanted,
  by: ActedBy,
): Promise<string> {
  const app = await apps.byId(id)
  if (app === null || app.tenant !== person.tenant || app.disabledAt !== null || app.launchUrl === null)
    throw appNotFound()
  const launch = engine.ids.token('cll')
  await engine.db.asEngine(async (tx) => {
    await tx.client.query(
      `insert into auth.app_launch (sha256, tenant_id, app_id, user_id, patient_id, expires_at) values ($1, $2, $3, $4, $5, $6)`,
      [sha256(launch), person.tenant, id, person.id, subject, new Date(engine.clock.now() + launchMs)],
    )
    await recordAct(tx, { tenant: person.tenant, by, action: 'execute', resource: 'app', id, subject })
  })
  return redirectTo(app.launchUrl, { iss: fhirUrl, launch })
}

interface Of {
  readonly app: string
  readonly user: string
  readonly launch: string
}

/** The patient of a launch that this person may still use with this app; null for any other. */
export async function patientOfLaunch(engine: Engine, of: Of): Promise<string | null> {
  const { rows } = await engine.db.pool.query<{ patient_id: string }>(
    `select patient_id from auth.app_launch
      where sha256 = $1 and app_id = $2 and user_id = $3 and used_at is null and expires_at > $4`,
    valuesOf(engine, of),
  )
  return rows[0]?.patient_id ?? null
}

/** Updating takes the row's lock: of two that come with the same launch at once one finds nothing. */
export async function takeLaunch(engine: Engine, tx: EngineTx, of: Of): Promise<string | null> {
  const { rows } = await tx.client.query<{ patient_id: string }>(
    `update auth.app_launch set used_at = $4
      where sha256 = $1 and app_id = $2 and user_id = $3 and used_at is null and expires_at > $4 returning patient_id`,
    valuesOf(engine, of),
  )
  return rows[0]?.patient_id ?? null
}

const valuesOf = (engine: Engine, { app, user, launch }: Of): unknown[] => [
  ...[sha256(launch), app, user, new Date(engine.clock.now())],
]
