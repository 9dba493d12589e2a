/** `node scripts/notice.ts --write`: writes NOTICE anew. Without `--write` it checks, as `npm run check` does. */
import { noticeProblems, writeNotice } from './checks/notice.ts'
import { ROOT } from './source/repository.ts'

if (process.argv.includes('--write')) writeNotice(ROOT)
const problems = noticeProblems(ROOT)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
