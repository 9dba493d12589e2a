import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { makeManualClock } from '../engine/clock/manual-clock.ts'
import { testEngine } from '../engine/testing/index.ts'
import { openDoors } from './doors.ts'
import { openRooms } from './rooms.ts'

test('doors > when a port is taken, nothing stays behind: no timer, and the log says that the door is down', async () => {
  const manual = makeManualClock(Date.now())
  let timers = 0
  const every: typeof manual.every = (ms, fn) => {
    timers += 1
    const stop = manual.every(ms, fn)
    return () => {
      timers -= 1
      stop()
    }
  }
  const ground = await testEngine({ clock: { ...manual, every } })
  const rooms = await openRooms(ground.engine, { secureCookies: false })
  const holder = createServer()
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, '127.0.0.1', () => resolve((holder.address() as { port: number }).port))
  })
  const before = timers
  const config = { mqtt: { host: '127.0.0.1', port }, mqtts: null, serverNames: [] }
  await expect(openDoors(rooms, config)).rejects.toMatchObject({ code: 'mqtt-port-unavailable' })
  expect(timers).toBe(before)
  const entries = (await ground.engine.log.read(0, 0, 100)).flatMap((commit) => commit.entries)
  expect(entries.map((entry) => entry.kind)).toEqual(['door-up', 'door-down'])
  holder.close()
  await ground.stop()
})
