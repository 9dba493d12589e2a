/** The time of day at which a call began, as a field has it, in the viewer's zone. */

const two = (n: number) => String(n).padStart(2, '0')

/** `14:05` */
export function timeText(at: number): string {
  const date = new Date(at)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The newest such time that is not ahead: `23:50` said at 0:10 was yesterday. undefined = no time. */
export function beginOf(text: string, now: number): number | undefined {
  const found = /^(\d{2}):(\d{2})$/.exec(text)
  if (found === null) return undefined
  const date = new Date(now)
  date.setHours(Number(found[1]), Number(found[2]), 0, 0)
  if (date.getTime() > now) date.setDate(date.getDate() - 1)
  return date.getTime()
}
