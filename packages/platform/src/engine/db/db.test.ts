import { testEngine } from '../testing/test-engine.ts'
import { dbContract } from './db.contract.ts'
import { sharedReadingContract } from './shared-reading.contract.ts'

const make = async () => {
  const ground = await testEngine()
  return { engine: ground.engine, another: () => ground.another().engine, tenant: ground.tenant, stop: ground.stop }
}
dbContract('embedded PostgreSQL', make)
sharedReadingContract('embedded PostgreSQL', make)
