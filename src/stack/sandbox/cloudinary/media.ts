import { open } from 'node:fs/promises'
import { imageSize } from './image-size.ts'

type ResourceType = 'image' | 'video' | 'raw'

/** What a file is, told by its bytes and not by its name. */
export interface Media {
  resourceType: ResourceType
  /** Cloudinary's name for the format, as in the file extension; none for raw files. */
  format?: string
  width?: number
  height?: number
}

const headLength = 64 * 1024

// Cloudinary counts audio as video, and PDF as image. Formats whose size `image-size.ts` cannot read are accepted
// as they are, and their answers have no width and height.
const signatures: [RegExp, ResourceType, string][] = [
  [/^\x89PNG\r\n.\n/, 'image', 'png'],
  [/^\xff\xd8\xff/, 'image', 'jpg'],
  [/^GIF8[79]a/, 'image', 'gif'],
  [/^RIFF.{4}WEBP/s, 'image', 'webp'],
  [/^.{4}ftypavif/s, 'image', 'avif'],
  [/^.{4}ftyp(heic|heix|mif1)/s, 'image', 'heic'],
  [/^(II\*\0|MM\0\*)/, 'image', 'tiff'],
  [/^BM.{12}\x28\0\0\0/s, 'image', 'bmp'],
  [/^%PDF-/, 'image', 'pdf'],
  [/^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/s, 'image', 'svg'],
  [/^.{4}ftypqt /s, 'video', 'mov'],
  [/^.{4}ftypM4A/s, 'video', 'm4a'],
  [/^.{4}ftyp/s, 'video', 'mp4'],
  [/^.E\xdf\xa3.{0,60}webm/s, 'video', 'webm'],
  [/^.E\xdf\xa3/, 'video', 'mkv'],
  [/^RIFF.{4}AVI /s, 'video', 'avi'],
  [/^RIFF.{4}WAVE/s, 'video', 'wav'],
  [/^OggS/, 'video', 'ogg'],
  [/^fLaC/, 'video', 'flac'],
  [/^(ID3|\xff[\xfb\xf3\xf2])/, 'video', 'mp3'],
  [/^\xff[\xf1\xf9]/, 'video', 'aac'],
]

/** Reads what the file at `path` is. `undefined`: it begins like an image, and is none. */
export async function recognise(path: string): Promise<Media | undefined> {
  const file = await open(path)
  try {
    const head = Buffer.alloc(headLength)
    const { bytesRead } = await file.read(head, 0, headLength, 0)
    const text = head.toString('latin1', 0, bytesRead)
    const [, resourceType, format] = signatures.find(([pattern]) => pattern.test(text)) ?? []
    if (!resourceType || !format) return { resourceType: 'raw' }
    if (!['png', 'jpg', 'gif', 'webp'].includes(format)) return { resourceType, format }

    const size = await imageSize(format, (buffer, position) => file.read(buffer, 0, buffer.length, position))
    return size && { resourceType, format, ...size }
  } finally {
    await file.close()
  }
}

const contentTypes: Record<string, string> = {
  ...{ jpg: 'image/jpeg', svg: 'image/svg+xml', pdf: 'application/pdf' },
  ...{ mov: 'video/quicktime', mkv: 'video/x-matroska', avi: 'video/x-msvideo' },
  ...{ mp3: 'audio/mpeg', m4a: 'audio/mp4', wav: 'audio/wav', ogg: 'audio/ogg', flac: 'audio/flac', aac: 'audio/aac' },
}

/** The `Content-Type` a file is delivered with. */
export function contentType(media: Media): string {
  if (media.resourceType === 'raw' || !media.format) return 'application/octet-stream'
  return contentTypes[media.format] ?? `${media.resourceType}/${media.format}`
}
