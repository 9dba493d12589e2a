import { idsContract } from './ids.contract.ts'
import { makeIds } from './ids.ts'

idsContract('UUIDv7 by the engine clock', makeIds)
