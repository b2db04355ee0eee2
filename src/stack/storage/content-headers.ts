import type { ObjectMetadata } from './object-rows.ts'

interface Presentation {
  /** The query's `download`: save instead of show, under this name if there is one. */
  download?: string | undefined
  /** When the signed URL ends, and with it what a cache may keep. */
  expires?: Date | undefined
}

/** The headers of an object that is served whole. */
export function contentHeaders(metadata: ObjectMetadata, { download, expires }: Presentation): Headers {
  const headers = new Headers({
    'accept-ranges': 'bytes',
    'content-type': harmlessType(metadata.mimetype),
    'content-length': String(metadata.size),
    etag: metadata.eTag,
    'last-modified': new Date(metadata.lastModified).toUTCString(),
    'x-robots-tag': 'none',
    // Bytes of an odd type are not to be taken for a page.
    'x-content-type-options': 'nosniff',
  })
  // A picture in a page, and by itself: none of its scripts run either way.
  if (/svg/i.test(metadata.mimetype)) headers.set('content-security-policy', 'sandbox')
  if (expires) headers.set('expires', expires.toUTCString())
  else headers.set('cache-control', metadata.cacheControl)
  if (download !== undefined) {
    const name = encodeURIComponent(download)
    headers.set('content-disposition', name ? `attachment; filename=${name}; filename*=UTF-8''${name};` : 'attachment;')
  }
  return headers
}

// As storage-api: nobody gets to publish pages under the project's address. XML is a page too, where it says that it is;
// SVG alone keeps its type, since that is what `<img>` asks for.
function harmlessType(mimetype: string): string {
  const isPicture = /^image\/svg\+xml\b/i.test(mimetype) && !mimetype.includes(',')
  return /text\/html|[/+]xml/i.test(mimetype) && !isPicture ? 'text/plain' : mimetype
}

export interface ByteRange {
  start: number
  /** Included. */
  end: number
}

/**
 * Reads a `Range` header: one range of bytes. Null is the whole, also for what we do not know how to read, as HTTP has it.
 * @param size of the object, in bytes
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? []
  if (!first && !last) return null
  const range = first
    ? { start: Number(first), end: last ? Math.min(Number(last), size - 1) : size - 1 }
    : { start: Math.max(0, size - Number(last)), end: size - 1 }
  if (first && last && Number(last) < Number(first)) return null
  return range.start > range.end ? 'unsatisfiable' : range
}
