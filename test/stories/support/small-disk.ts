/** A disk of a gigabyte that can be filled: a tmpfs. Mounting it needs root, which CI gives. */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly dir: string
  freeBytes(): number
  /** Fills it with a file of its own until so much is left. */
  fill(leaveBytes: number): void
  /** Removes what `fill` wrote. */
  clear(): void
  unmount(): void
}

export function mountSmallDisk(size = '1g'): SmallDisk {
  const dir = mkdtempSync(join(tmpdir(), 'careloop-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=755`, 'tmpfs', dir], { stdio: 'pipe' })
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw new Error(
      `This story fills a disk, and for that it mounts a tmpfs of ${size}, which was not permitted here. Run it as root, in a container with --cap-add SYS_ADMIN (docker: --privileged). ${(error as Error).message}`,
    )
  }
  const filler = join(dir, 'filler')
  const freeBytes = () => {
    const fs = statfsSync(dir)
    return fs.bavail * fs.bsize
  }
  return {
    dir,
    freeBytes,
    fill(leaveBytes) {
      const file = openSync(filler, 'a')
      try {
        const block = Buffer.alloc(1024 * 1024)
        while (freeBytes() > leaveBytes) writeSync(file, block, 0, Math.min(block.length, freeBytes() - leaveBytes))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    clear: () => rmSync(filler, { force: true }),
    unmount() {
      execFileSync('umount', ['-l', dir])
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
