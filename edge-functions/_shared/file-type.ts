import { Buffer } from 'node:buffer'

// What a file is, told by its first bytes: who uploads it may say anything. Only the types that may be sent are known.

/** How many of the first bytes are enough. */
export const headLength = 4096

export const unknownType = 'application/octet-stream'

const openDocument = 'application/vnd.oasis.opendocument'
const officeDocument = 'application/vnd.openxmlformats-officedocument'
const zipped = [
  `${officeDocument}.wordprocessingml.document`,
  `${officeDocument}.spreadsheetml.sheet`,
  `${officeDocument}.presentationml.presentation`,
  `${openDocument}.text`,
  `${openDocument}.spreadsheet`,
  `${openDocument}.presentation`,
]
const mpeg4 = ['video/mp4', 'audio/mp4', 'audio/x-m4a', 'video/quicktime', 'video/3gpp']

// Of containers the bytes do not tell which of several types they hold: then what was announced is believed.
const signatures: [RegExp, string[]][] = [
  [/^\x89PNG\r\n.\n/, ['image/png']],
  [/^\xff\xd8\xff/, ['image/jpeg']],
  [/^GIF8[79]a/, ['image/gif']],
  [/^RIFF.{4}WEBP/s, ['image/webp']],
  [/^.{4}ftyp(avif|avis)/s, ['image/avif']],
  [/^.{4}ftyp(hei|hev|mif1|msf1)/s, ['image/heic', 'image/heif', 'image/avif']],
  [/^BM.{12}.\0\0\0/s, ['image/bmp']],
  [/^.{4}(ftyp|moov|mdat|wide|free)/s, mpeg4],
  [/^.E\xdf\xa3/, ['video/webm', 'audio/webm']],
  [/^OggS/, ['audio/ogg', 'video/ogg']],
  [/^RIFF.{4}WAVE/s, ['audio/wav', 'audio/x-wav']],
  [/^fLaC/, ['audio/flac']],
  [/^\xff[\xf0\xf1\xf8\xf9]/, ['audio/aac']],
  [/^(ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb])/, ['audio/mpeg', 'audio/aac']],
  [/^%PDF-/, ['application/pdf']],
  [/^\{\\rtf/, ['application/rtf', 'application/msword']],
  [/^PK[^ -\xff]{2}/, [unknownType, ...zipped]],
  [
    /^\xd0\xcf.\xe0\xa1\xb1.\xe1/,
    [unknownType, 'application/msword', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint'],
  ],
]

// What Cloudinary calls the formats of pictures, films and sound.
const cloudinaryFormats: Record<string, string[]> = {
  avif: ['image/avif'],
  bmp: ['image/bmp'],
  gif: ['image/gif'],
  heic: ['image/heic', 'image/heif'],
  heif: ['image/heif', 'image/heic'],
  jpg: ['image/jpeg'],
  png: ['image/png'],
  webp: ['image/webp'],
  '3gp': ['video/3gpp'],
  aac: ['audio/aac'],
  flac: ['audio/flac'],
  m4a: ['audio/mp4', 'audio/x-m4a'],
  mov: ['video/quicktime'],
  mp3: ['audio/mpeg'],
  mp4: mpeg4,
  ogg: ['audio/ogg', 'video/ogg'],
  ogv: ['video/ogg'],
  wav: ['audio/wav', 'audio/x-wav'],
  webm: ['video/webm', 'audio/webm'],
}

// With which endings a file of a type may be kept: the usual one first. The others are as harmless.
const endings: Record<string, string[]> = {
  'application/msword': ['doc'],
  'application/pdf': ['pdf'],
  'application/rtf': ['rtf'],
  'application/vnd.ms-excel': ['xls'],
  'application/vnd.ms-powerpoint': ['ppt'],
  [`${openDocument}.presentation`]: ['odp'],
  [`${openDocument}.spreadsheet`]: ['ods'],
  [`${openDocument}.text`]: ['odt'],
  [`${officeDocument}.presentationml.presentation`]: ['pptx'],
  [`${officeDocument}.spreadsheetml.sheet`]: ['xlsx'],
  [`${officeDocument}.wordprocessingml.document`]: ['docx'],
  'audio/aac': ['aac'],
  'audio/flac': ['flac'],
  'audio/mp4': ['m4a', 'mp4'],
  'audio/mpeg': ['mp3'],
  'audio/ogg': ['ogg', 'oga', 'opus'],
  'audio/wav': ['wav'],
  'audio/webm': ['webm', 'weba'],
  'audio/x-m4a': ['m4a'],
  'audio/x-wav': ['wav'],
  'image/avif': ['avif'],
  'image/bmp': ['bmp'],
  'image/gif': ['gif'],
  'image/heic': ['heic', 'heif'],
  'image/heif': ['heif', 'heic'],
  'image/jpeg': ['jpg', 'jpeg'],
  'image/png': ['png'],
  'image/webp': ['webp'],
  'text/csv': ['csv', 'txt'],
  'text/markdown': ['md', 'markdown', 'txt'],
  'text/plain': ['txt', 'text', 'log', 'csv', 'md'],
  'video/3gpp': ['3gp', '3gpp'],
  'video/mp4': ['mp4', 'm4v'],
  'video/ogg': ['ogv', 'ogg'],
  'video/quicktime': ['mov', 'qt'],
  'video/webm': ['webm'],
}

/** The endings that fit a type, without their dot, the usual one first. */
export function endingsOf(mimeType: string): string[] {
  return endings[mimeType] ?? ['bin']
}

/** The type of a file that begins so: the announced one if that can be. */
export function typeOfBytes(head: Uint8Array, announced: string): string {
  const text = Buffer.from(head.subarray(0, headLength)).toString('latin1')
  const [, types] = signatures.find(([pattern]) => pattern.test(text)) ?? []
  if (types) return oneOf(types, announced)
  const isText = head.length > 0 && (/^(\xff\xfe|\xfe\xff)/.test(text) || !head.some(isControl))
  return isText ? oneOf(['text/plain', 'text/csv', 'text/markdown'], announced) : unknownType
}

/** The type of what Cloudinary has recognised. */
export function typeOfFormat(format: string | undefined, announced: string): string {
  return oneOf(cloudinaryFormats[format ?? ''] ?? [unknownType], announced)
}

/** Cloudinary's names of the formats that may be sent as an `image` or as a `video`. */
export function formatsOf(kind: 'image' | 'video'): string[] {
  return Object.entries(cloudinaryFormats)
    .filter(([, [type = '']]) => type.startsWith('image/') === (kind === 'image'))
    .map(([format]) => format)
}

// What stands in no text, but in one of UTF-16, which begins with its own mark.
function isControl(byte: number): boolean {
  return byte < 9 || (byte > 13 && byte < 32 && byte !== 27)
}

function oneOf(types: string[], announced: string): string {
  return types.includes(announced) ? announced : (types[0] ?? unknownType)
}
