/** No file that git tracks names a folder of the machine it was written on. */
import { readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, parse } from 'node:path'

/** Folders that tell of this machine: the checkout, what it stands in, the user's home. Shared ones (`/`, `/tmp`) tell nothing. */
export function machineFolders(root: string, home = homedir(), temporary = tmpdir()): readonly string[] {
  const telling = [root, dirname(root), home].filter((folder) => {
    const nothing = [parse(folder).root, temporary, '/home', '/root', '/Users', '/usr', '/opt', '/srv', '/mnt', '/app']
    return !nothing.includes(folder)
  })
  return [...new Set(telling)]
}

/** @returns a line for each place where a text names one of the folders */
export function machinePathProblems(
  root: string,
  files: readonly string[],
  folders = machineFolders(root),
): readonly string[] {
  return files.flatMap((path) => {
    const bytes = readFileSync(join(root, path))
    if (bytes.includes(0)) return [] // no text
    return bytes
      .toString('utf8')
      .split('\n')
      .flatMap((line, index) =>
        folders.some((folder) => names(line, folder))
          ? [`${path}:${index + 1}: names a folder of this machine. Use a path from the root.`]
          : [],
      )
  })
}

/** `/srv/x` is named by `/srv/x` and `/srv/x/y`, not by `/srv/xyz` or `@y/srv/x`. */
function names(line: string, folder: string): boolean {
  const at = line.indexOf(folder)
  if (at < 0) return false
  const [before, after] = [line[at - 1] ?? '', line[at + folder.length] ?? '']
  return (!/[\w.@-]/.test(before) && !/[\w.-]/.test(after)) || names(line.slice(at + folder.length), folder)
}
