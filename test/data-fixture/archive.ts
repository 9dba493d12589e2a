/** A kept data directory as one small file: tar, compressed with Zstandard. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const MAX_BYTES = 1024 ** 3

/** @param level 19 is small and takes 4 s, 3 is quick */
export function pack(dir: string, file: string, level = 19): void {
  const tar = execFileSync('tar', ['-C', dir, '-cf', '-', '.'], { maxBuffer: MAX_BYTES })
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: 27 }
  writeFileSync(file, zstdCompressSync(tar, { params, maxOutputLength: MAX_BYTES }))
}

/** Whoever unpacks owns, whoever packed. */
export function unpack(file: string, dir: string): void {
  const params = { [constants.ZSTD_d_windowLogMax]: 27 }
  const tar = zstdDecompressSync(readFileSync(file), { params, maxOutputLength: MAX_BYTES })
  execFileSync('tar', ['--no-same-owner', '-C', dir, '-xf', '-'], { input: tar, maxBuffer: MAX_BYTES })
}
