import { deepStrictEqual as equal } from 'node:assert'
import { endingsOf, formatsOf, typeOfBytes, typeOfFormat } from './file-type.ts'

const office = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const unknown = 'application/octet-stream'

Deno.test('the first bytes say what a file is, whatever was announced', () => {
  const files: [bytes: string, announced: string, is: string][] = [
    ['\x89PNG\r\n\x1a\n', 'image/png', 'image/png'],
    ['\x89PNG\r\n\x1a\n', 'text/plain', 'image/png'],
    ['\xff\xd8\xff\xe1', 'image/png', 'image/jpeg'],
    ['GIF89a', 'image/gif', 'image/gif'],
    ['RIFF\0\0\0\0WEBPVP8X', 'image/webp', 'image/webp'],
    ['RIFF\0\0\0\0WAVEfmt ', 'audio/x-wav', 'audio/x-wav'],
    ['\0\0\0\x18ftypavif', 'image/png', 'image/avif'],
    ['\0\0\0\x18ftypheic', 'image/heif', 'image/heif'],
    ['\0\0\0\x18ftypisom', 'video/mp4', 'video/mp4'],
    ['\0\0\0\x18ftypM4A ', 'audio/x-m4a', 'audio/x-m4a'],
    ['\0\0\0\x18ftypqt  ', 'image/png', 'video/mp4'],
    ['\x1aE\xdf\xa3', 'audio/webm', 'audio/webm'],
    ['OggS', 'audio/ogg', 'audio/ogg'],
    ['ID3\x04', 'audio/mpeg', 'audio/mpeg'],
    ['\xff\xfb\x90', 'audio/mpeg', 'audio/mpeg'],
    ['\xff\xf1\x50', 'audio/aac', 'audio/aac'],
    ['%PDF-1.7', 'application/pdf', 'application/pdf'],
    ['%PDF-1.7', 'image/png', 'application/pdf'],
    ['PK\x03\x04', office, office],
    ['PK\x03\x04', 'text/plain', unknown],
    ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'application/msword', 'application/msword'],
    ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', office, unknown],
    ['{\\rtf1', 'application/rtf', 'application/rtf'],
    ['MZ\x90\0\x03', 'application/pdf', unknown],
    ['\x7fELF\x02\x01', 'text/plain', unknown],
    ['', 'text/plain', unknown],
    ['Grüße', 'text/markdown', 'text/markdown'],
    ['a;b\n1;2', 'text/csv', 'text/csv'],
    ['<svg>', 'image/png', 'text/plain'],
    ['\xff\xfeh\0i\0', 'text/plain', 'text/plain'],
  ]
  for (const [bytes, announced, is] of files) {
    const head = Uint8Array.from(bytes, (character) => character.charCodeAt(0))
    equal([bytes, announced, typeOfBytes(head, announced)], [bytes, announced, is])
  }
})

Deno.test('what Cloudinary recognised is one of the types that may be sent', () => {
  equal(typeOfFormat('jpg', 'image/png'), 'image/jpeg')
  equal(typeOfFormat('mp4', 'audio/mp4'), 'audio/mp4')
  equal(typeOfFormat('svg', 'image/png'), unknown)
  equal(typeOfFormat(undefined, 'image/png'), unknown)
  equal(formatsOf('image'), ['avif', 'bmp', 'gif', 'heic', 'heif', 'jpg', 'png', 'webp'])
  equal(formatsOf('video').includes('mp3'), true)
})

Deno.test('every format that Cloudinary may recognise has an ending that fits its type', () => {
  for (const format of [...formatsOf('image'), ...formatsOf('video')]) {
    const type = typeOfFormat(format, unknown)
    equal([type, endingsOf(type)[0] !== 'bin'], [type, true])
  }
})
