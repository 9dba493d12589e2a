/** What a run of Vitest came to, from its JSON report and its exit code. */

/** Vitest's JSON report, as far as it is read here. */
export interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly startTime: number
    readonly endTime: number
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

export interface Outcome {
  readonly passed: number
  readonly failed: number
  /** `file: test` that did not run. */
  readonly skipped: readonly string[]
  /** What failed that no test tells of. */
  readonly besides: readonly string[]
  /** Files, slowest first. */
  readonly files: readonly { readonly name: string; readonly seconds: number }[]
}

/**
 * @param report undefined when Vitest wrote none
 * @param exitCode null when it was killed
 * @param root files are named from here
 */
export function outcomeOf(report: Report | undefined, exitCode: number | null, root: string): Outcome {
  if (report === undefined) {
    return { passed: 0, failed: 1, skipped: [], files: [], besides: [`Vitest ended with ${exitCode} and no report.`] }
  }
  const named = report.testResults.map((file) => ({ ...file, name: file.name.replace(`${root}/`, '') }))
  const broken = named.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  )
  const besides = broken.map(({ name }) => `${name} could not be run.`)
  const failed = report.numFailedTests + broken.length
  // An error outside of any test, or a teardown that failed: Vitest says so by its exit code only.
  if (failed === 0 && exitCode !== 0) besides.push(`Vitest ended with ${exitCode}: see the error above.`)
  const skipped = named
    .filter((file) => !broken.includes(file))
    .flatMap((file) =>
      file.assertionResults
        .filter(({ status }) => status !== 'passed' && status !== 'failed')
        .map(({ fullName }) => `${file.name}: ${fullName}`),
    )
  const files = named.map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped,
    besides,
    files: files.sort((a, b) => b.seconds - a.seconds),
  }
}
