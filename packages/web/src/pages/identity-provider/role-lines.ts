/** Groups and the roles that they give, as lines of text. */
import type { Role } from '@careloop/contract'

export interface GroupRoles {
  readonly group: string
  readonly roles: readonly Role[]
}

export const linesOf = (map: readonly GroupRoles[]): string =>
  map.map(({ group, roles }) => `${group} = ${roles.join(', ')}`).join('\n')

/** The last `=` of a line parts group and roles: groups may be LDAP names. */
export function mapOf(
  text: string,
  known: readonly Role[],
): { readonly roleMap: { group: string; roles: Role[] }[] } | { readonly wrong: string } {
  const roleMap: { group: string; roles: Role[] }[] = []
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const cut = line.lastIndexOf('=')
    const group = line.slice(0, Math.max(0, cut)).trim()
    const roles = wordsOf(line.slice(cut + 1))
    const strange = roles.find((role) => !(known as readonly string[]).includes(role))
    if (cut < 0 || group === '' || roles.length === 0) return { wrong: `Line ${at + 1}: group = role is expected.` }
    if (strange !== undefined) return { wrong: `Line ${at + 1}: there is no role ${strange}.` }
    roleMap.push({ group, roles: roles as Role[] })
  }
  return roleMap.length === 0 ? { wrong: 'At least one group is needed.' } : { roleMap }
}

export const wordsOf = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
