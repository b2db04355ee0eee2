import { endingsOf } from './file-type.ts'

// Devices of Windows, whatever comes after their first dot.
const device = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/i

/**
 * A file's name as it may lie on anybody's disk: it ends as files of its type do, and shows itself as it is. What its
 * uploader called it may end as a program does, or look, turned round, as if it did not.
 */
export function safeName(name: string, mimeType: string): string {
  const visible = name
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '')
    .replaceAll(/[<>:"/\\|?*]/g, '_')
    // Windows drops these at the end, and with them what they hide.
    .replace(/[\s.]+$/, '')
    .trimStart()
  const stem = device.test(visible) || visible === '' ? `_${visible}` : visible
  const [usual = '', ...others] = endingsOf(mimeType)
  const [, ending = ''] = /[^.]\.([^.]+)$/.exec(stem) ?? []
  return [usual, ...others].includes(ending.toLowerCase()) ? stem : `${stem}.${usual}`
}
