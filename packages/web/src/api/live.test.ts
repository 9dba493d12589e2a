import { expect, it } from 'vitest'
import { type Message, messages } from './live.ts'

const heard = (...texts: string[]) => {
  const all: (Message | null)[] = []
  const take = messages((message) => all.push(message))
  for (const text of texts) take(text)
  return all
}

it('reads events however the network cuts them', () => {
  const whole = 'retry: 3000\nevent: ready\ndata: {}\n\nid: 7:1\nevent: TaskOpened\ndata: {"task":"t"}\n\n'
  const want = [
    { event: 'ready', data: '{}' },
    { event: 'TaskOpened', data: '{"task":"t"}', id: '7:1' },
  ]
  expect(heard(whole)).toEqual(want)
  expect(heard(...whole)).toEqual(want)
})

it('hears a heartbeat as a sign of life and not as an event', () => {
  expect(heard(': still here\n\n')).toEqual([null])
})

it('keeps half an event until the rest comes', () => {
  expect(heard('event: TaskChanged\ndata: {"ta')).toEqual([])
})
