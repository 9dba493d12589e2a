/** A kept data directory as one small file: tar, compressed with Zstandard. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

const MAX_BYTES = 1024 ** 3

/** Without the owner's name and number: whoever unpacks owns. */
export function pack(dir: string, file: string): void {
  const args = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-C', dir, '-cf', '-', '.']
  const tar = execFileSync('tar', args, { maxBuffer: MAX_BYTES })
  const params = { [constants.ZSTD_c_compressionLevel]: 19, [constants.ZSTD_c_windowLog]: 27 }
  writeFileSync(file, zstdCompressSync(tar, { params, maxOutputLength: MAX_BYTES }))
}

export function unpack(file: string, dir: string): void {
  const params = { [constants.ZSTD_d_windowLogMax]: 27 }
  const tar = zstdDecompressSync(readFileSync(file), { params, maxOutputLength: MAX_BYTES })
  execFileSync('tar', ['--no-same-owner', '-C', dir, '-xf', '-'], { input: tar, maxBuffer: MAX_BYTES })
}
