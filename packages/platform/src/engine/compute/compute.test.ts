import { computeContract } from './compute.contract.ts'
import { makeCompute } from './compute.ts'

computeContract('worker threads', makeCompute)
