/** What whoever opens the pages may know before a session: whether these data are a demo's. */
import { z } from 'zod'

/** GET /api/v1/place. Public. `demo`: everybody in these data is invented; pages say so wherever they show any. */
export const Place = z.object({ demo: z.boolean() }).meta({ id: 'Place' })
export type Place = z.infer<typeof Place>
