// Serves the project in argv[2], calls its function `f`, and prints Deno's process id once `f` has begun.
import { readFunctions } from '../../../src/stack/functions/config.ts'
import { startFunctions } from '../../../src/stack/functions/functions.ts'
import { localKeys } from '../../../src/stack/keys.ts'

const root = process.argv[2] as string
const functions = await startFunctions({
  root,
  functions: readFunctions(root),
  url: 'http://127.0.0.1:54321',
  databaseUrl: 'postgresql://127.0.0.1:54322/postgres',
  keys: localKeys,
  env: {},
  log: (_name, text) => {
    if (text.includes('round and round')) console.log(functions.pid())
  },
})
functions.fetch(new Request('http://127.0.0.1:54321/functions/v1/f'), { address: '127.0.0.1' })
