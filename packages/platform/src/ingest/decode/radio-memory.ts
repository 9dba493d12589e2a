/**
 * A device's address and bind key, opened once and again only when the device was changed: the doors' copy of the directory holds
 * them sealed and is kept current by the fleet room, so decoding never waits.
 */
import type { Engine } from '../../engine/index.ts'
import { type Attribution, type RadioIdentity, type ReadRadio, radioReader } from '../../fleet/index.ts'

export interface RadioMemory {
  /** As it stands now. @throws Failure `seal-broken` */
  now(): RadioIdentity
}

export async function rememberRadio(engine: Engine, attribution: Attribution, device: string): Promise<RadioMemory> {
  const listed = await attribution.known(device)
  if (!listed) return { now: () => ({}) } // no such device: nothing comes from it
  return memoryOf(await radioReader(engine, listed.tenant), attribution, device)
}

function memoryOf(read: ReadRadio, attribution: Pick<Attribution, 'device'>, device: string): RadioMemory {
  let sealed: Buffer | undefined
  let radio: RadioIdentity = {}
  return {
    now() {
      const listed = attribution.device(device)
      if (listed && listed.identity !== sealed) {
        radio = read(listed)
        sealed = listed.identity
      }
      return radio
    },
  }
}
