import { deepStrictEqual as equal } from 'node:assert'
import { uniqueNames } from './archive.ts'

Deno.test('names in an archive are unique, also where capitals and small letters are the same', () => {
  equal(uniqueNames(['a.png', 'a.png', 'A.PNG', 'a (2).png', 'a.png']), [
    'a.png',
    'a (2).png',
    'A (3).PNG',
    'a (2) (2).png',
    'a (4).png',
  ])
  equal(uniqueNames(['notes', 'notes', '.env', '.env', 'a.tar.gz', 'a.tar.gz']), [
    'notes',
    'notes (2)',
    '.env',
    '.env (2)',
    'a.tar.gz',
    'a.tar (2).gz',
  ])
  equal(uniqueNames(['é', 'e\u0301']), ['é', 'e\u0301 (2)'])
})
