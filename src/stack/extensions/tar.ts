/**
 * The regular files of an uncompressed tar archive: path → content. Enough for the archives we unpack, which were
 * written by npm tools: no links, no sparse files.
 * @throws when an entry is longer than the archive, which means that it was cut.
 */
export function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let offset = 0; offset + 512 <= archive.length; ) {
    const header = archive.subarray(offset, offset + 512)
    // Two blocks of zeros end an archive; one is enough to know.
    if (header[0] === 0) break
    const size = Number.parseInt(text(header, 124, 12), 8)
    const start = offset + 512
    if (Number.isNaN(size) || start + size > archive.length) throw new Error('The tar archive is damaged.')
    const type = text(header, 156, 1)
    if (type === '0' || type === '') files.set(path(header), archive.subarray(start, start + size))
    offset = start + Math.ceil(size / 512) * 512
  }
  return files
}

function path(header: Buffer): string {
  const prefix = text(header, 345, 155)
  const name = text(header, 0, 100)
  return prefix ? `${prefix}/${name}` : name
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? length : end).trim()
}
