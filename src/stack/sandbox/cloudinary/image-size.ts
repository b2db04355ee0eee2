export interface Size {
  width: number
  height: number
}

type Read = (buffer: Buffer, position: number) => Promise<{ bytesRead: number }>

/** Reads width and height, in pixels, from an image's own header; `undefined` when the header is broken. */
export async function imageSize(format: string, read: Read): Promise<Size | undefined> {
  const at = async (position: number, length: number) => {
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await read(buffer, position)
    return bytesRead === length ? buffer : undefined
  }
  const size = await readers[format]?.(at)
  return size && size.width > 0 && size.height > 0 ? size : undefined
}

type At = (position: number, length: number) => Promise<Buffer | undefined>

const readers: Record<string, (at: At) => Promise<Size | undefined>> = { png, gif, jpg, webp }

async function png(at: At): Promise<Size | undefined> {
  const header = await at(12, 12)
  if (header?.toString('latin1', 0, 4) !== 'IHDR') return undefined
  return { width: header.readUInt32BE(4), height: header.readUInt32BE(8) }
}

async function gif(at: At): Promise<Size | undefined> {
  const screen = await at(6, 4)
  return screen && { width: screen.readUInt16LE(0), height: screen.readUInt16LE(2) }
}

// A photo's EXIF and colour profile come first and may be large, so the segments are skipped one by one.
async function jpg(at: At): Promise<Size | undefined> {
  for (let position = 2; ; ) {
    const segment = await at(position, 9)
    if (segment?.[0] !== 0xff) return undefined
    const marker = segment.readUInt8(1)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { width: segment.readUInt16BE(7), height: segment.readUInt16BE(5) }
    // 0xff before a marker is padding; it has no length.
    position += marker === 0xff ? 1 : 2 + segment.readUInt16BE(2)
  }
}

async function webp(at: At): Promise<Size | undefined> {
  const chunk = await at(12, 18)
  switch (chunk?.toString('latin1', 0, 4)) {
    case 'VP8 ':
      return { width: chunk.readUInt16LE(14) & 0x3fff, height: chunk.readUInt16LE(16) & 0x3fff }
    case 'VP8L': {
      const bits = chunk.readUInt32LE(9)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    case 'VP8X':
      return { width: chunk.readUIntLE(12, 3) + 1, height: chunk.readUIntLE(15, 3) + 1 }
    default:
      return undefined
  }
}
