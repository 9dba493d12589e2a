import { testEngine } from '../testing/test-engine.ts'
import { dbContract } from './db.contract.ts'

dbContract('embedded PostgreSQL', async () => {
  const ground = await testEngine()
  return { engine: ground.engine, another: () => ground.another().engine, tenant: ground.tenant, stop: ground.stop }
})
