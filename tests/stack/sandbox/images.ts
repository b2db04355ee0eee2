// The smallest beginnings of files that say what they are and how large.

export function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(25)
  header.writeUInt32BE(13, 0)
  header.write('IHDR', 4, 'latin1')
  header.writeUInt32BE(width, 8)
  header.writeUInt32BE(height, 12)
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), header])
}

export function gif(width: number, height: number): Buffer {
  const image = Buffer.alloc(13)
  image.write('GIF89a', 'latin1')
  image.writeUInt16LE(width, 6)
  image.writeUInt16LE(height, 8)
  return image
}

/** With 130 KB of EXIF and colour profile before the size, as photos from phones have. */
export function jpeg(width: number, height: number): Buffer {
  const segment = Buffer.alloc(65_537)
  segment.set([0xff, 0xe1, 0xff, 0xff])
  const frame = Buffer.from([0xff, 0xc0, 0, 17, 8, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  frame.writeUInt16BE(height, 5)
  frame.writeUInt16BE(width, 7)
  return Buffer.concat([Buffer.from([0xff, 0xd8]), segment, segment, frame])
}

export function webp(width: number, height: number): Buffer {
  const image = Buffer.alloc(30)
  image.write('RIFF', 0, 'latin1')
  image.write('WEBPVP8X', 8, 'latin1')
  image.writeUIntLE(width - 1, 24, 3)
  image.writeUIntLE(height - 1, 27, 3)
  return image
}
