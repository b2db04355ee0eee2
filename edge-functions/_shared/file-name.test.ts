import { deepStrictEqual as equal } from 'node:assert'
import { safeName } from './file-name.ts'

Deno.test('a name ends as files of its type do, and what is fine stays as it is', () => {
  const names: [name: string, type: string, safe: string][] = [
    ['photo.png', 'image/png', 'photo.png'],
    ['Photo.JPEG', 'image/jpeg', 'Photo.JPEG'],
    ['Grüße 👨‍👩‍👧 (1).tar.pdf', 'application/pdf', 'Grüße 👨‍👩‍👧 (1).tar.pdf'],
    ['run.exe', 'image/png', 'run.exe.png'],
    ['photo.png.exe', 'image/png', 'photo.png.exe.png'],
    ['page.html', 'text/plain', 'page.html.txt'],
    ['table.csv', 'text/plain', 'table.csv'],
    ['photo', 'image/webp', 'photo.webp'],
    ['.env', 'text/plain', '.env.txt'],
    ['.png', 'image/png', '.png.png'],
    ['what.pdf', 'application/octet-stream', 'what.pdf.bin'],
  ]
  for (const [name, type, safe] of names) equal(safeName(name, type), safe)
})

Deno.test('a name hides nothing: no turning round, no controls, no words of a file system', () => {
  const names: [name: string, safe: string][] = [
    ['annual\u202Egnp.exe', 'annualgnp.exe.png'],
    ['a\u061C\u200E\u2066b\u2069.png', 'ab.png'],
    ['a\u0000\n\u007F\u0085\u2028b.png', 'ab.png'],
    ['a.exe:b.png', 'a.exe_b.png'],
    ['../..\\a?*"<>|.png', '.._.._a______.png'],
    ['a.png. . .', 'a.png'],
    ['a.exe .', 'a.exe.png'],
    ['  a.png', 'a.png'],
    ['CON', '_CON.png'],
    ['nul .tar.png', '_nul .tar.png'],
    ['com1.png', '_com1.png'],
    ['Lpt².png', '_Lpt².png'],
    ['conference.png', 'conference.png'],
    ['com10.png', 'com10.png'],
    ['..', '_.png'],
    ['\u202E', '_.png'],
  ]
  for (const [name, safe] of names) equal(safeName(name, 'image/png'), safe)
})
