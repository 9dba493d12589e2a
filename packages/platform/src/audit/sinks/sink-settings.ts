/** Which sinks: `s3://`, `file:///`, `https://`, `syslog+tls://`, as an operator writes them. */
import { isAbsolute } from 'node:path'
import type { Clock, Ids, ObjectStoreSettings } from '../../engine/index.ts'
import { openObjectStore, readObjectStoreSettings } from '../../engine/index.ts'
import { type HttpsSinkSettings, makeHttpsSink } from './https-sink.ts'
import { makeObjectSink } from './object-sink.ts'
import type { AuditSink } from './sink.ts'
import { makeSyslogSink, type SyslogSinkSettings } from './syslog-sink.ts'

export type AuditSinkSettings = ObjectStoreSettings | HttpsSinkSettings | SyslogSinkSettings

export interface SinkSecrets {
  /** Of an S3-compatible store. */
  readonly keyId?: string
  readonly secret?: string
  /** Of an HTTPS collector. */
  readonly token?: string
}

/** @returns settings, or what is wrong in words that quote no secret */
export function readAuditSink(text: string, secrets: SinkSecrets): AuditSinkSettings | { readonly wrong: string } {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || url.username !== '' || url.password !== '')
    return { wrong: 's3://, syslog+tls://, https:// or file:/// is expected, without credentials in it.' }
  if (url.protocol === 'https:' || url.protocol === 'http:') return httpsOf(url, secrets.token)
  if (url.protocol === 'syslog+tls:') return syslogOf(url)
  return readObjectStoreSettings(text, secrets)
}

export function openAuditSink(
  settings: AuditSinkSettings,
  parts: { readonly clock: Pick<Clock, 'now' | 'sleep'>; readonly ids: Pick<Ids, 'uuid'> },
): AuditSink {
  const elsewhere = isElsewhere(settings)
  if (settings.kind === 'https') return { ...makeHttpsSink(settings), isElsewhere: elsewhere }
  if (settings.kind === 'syslog') return { ...makeSyslogSink(settings), isElsewhere: elsewhere }
  return makeObjectSink(openObjectStore(settings, parts), settings.kind === 's3', elsewhere)
}

/** Whose acknowledgement counts, for `auditTrouble`. Nobody is asked and no certificate is read. */
export const describeSinks = (
  all: readonly AuditSinkSettings[],
  parts: Parameters<typeof openAuditSink>[1],
): { readonly name: string; readonly isElsewhere: boolean }[] =>
  all.map((settings) => ({
    name: openAuditSink(withoutFiles(settings), parts).name,
    isElsewhere: isElsewhere(settings),
  }))

function withoutFiles(settings: AuditSinkSettings): AuditSinkSettings {
  if (settings.kind === 'folder') return settings
  if (settings.kind === 'syslog') return { kind: 'syslog', host: settings.host, port: settings.port }
  const { caFile: _, ...others } = settings
  return others
}

/** A sink that the machine's own administrator cannot empty unseen: production wants one. */
export function isElsewhere(settings: AuditSinkSettings): boolean {
  if (settings.kind === 'folder') return false
  if (settings.kind === 'syslog') return !isThisMachine(settings.host)
  return !isThisMachine(new URL(settings.kind === 's3' ? settings.endpoint : settings.url).hostname)
}

const isThisMachine = (host: string): boolean =>
  /^(localhost|.*\.localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::1?\]?)$/i.test(host)

function httpsOf(url: URL, token: string | undefined): HttpsSinkSettings | { wrong: string } {
  const caFile = url.searchParams.get('ca')
  if (url.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
    return { wrong: 'https:// is expected; http:// goes to this machine only.' }
  if (caFile !== null && !isAbsolute(caFile)) return { wrong: 'ca is the absolute path of a PEM file.' }
  url.searchParams.delete('ca')
  return {
    ...{ kind: 'https', url: url.href },
    ...(token ? { token } : {}),
    ...(caFile === null ? {} : { caFile }),
  }
}

function syslogOf(url: URL): SyslogSinkSettings | { wrong: string } {
  const files = { caFile: url.searchParams.get('ca'), certFile: url.searchParams.get('cert') }
  const all = { ...files, keyFile: url.searchParams.get('key') }
  if (url.hostname === '' || (url.pathname !== '' && url.pathname !== '/'))
    return { wrong: 'syslog+tls://host:6514 is expected.' }
  if (Object.values(all).some((path) => path !== null && !isAbsolute(path)))
    return { wrong: 'ca, cert and key are absolute paths of PEM files.' }
  const given = Object.fromEntries(Object.entries(all).filter(([, path]) => path !== null))
  return { kind: 'syslog', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 6514), ...given }
}
