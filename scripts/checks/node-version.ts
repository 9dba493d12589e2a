/** The platform packages bring Node 24; another Node would run other code than the tests did. */

/** @returns what to do when a process runs on another Node than 24 */
export function nodeProblems(version = process.version): readonly string[] {
  if (/^v24\./.test(version)) return []
  return [
    `This is Node ${version}. Run by npm, which finds Node 24 in node_modules/.bin after npm ci; on macOS install Node 24.`,
  ]
}
