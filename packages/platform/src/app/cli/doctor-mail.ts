/** Whether notifications reach people who do not look at the pages. */
import { tryMailServer } from '../../integrations/index.ts'
import type { Config } from '../config.ts'
import { mailNotices } from '../platform.ts'
import type { Finding } from './doctor.ts'

export async function mailFindings(config: Pick<Config, 'mail'>): Promise<Finding[]> {
  const notices = mailNotices(config).map((what): Finding => ({ state: 'look', what }))
  if (config.mail === undefined) return notices
  const { host, port } = config.mail
  const problem = await tryMailServer(config.mail)
  if (problem === null) return [{ state: 'good', what: `the mail server ${host}:${port} lets Careloop in` }, ...notices]
  return [
    {
      ...{ state: 'bad', what: `the mail server ${host}:${port} does not let Careloop in: ${problem}` },
      mend: 'See host, port, user and password in CARELOOP_SMTP_URL, and that this machine may reach it. Notifications stand in the pages meanwhile.',
    },
    ...notices,
  ]
}
