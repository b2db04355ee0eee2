import { parseArgs } from 'node:util'
import { readConfig } from '../stack/config.ts'
import { projectRoot } from '../stack/supabase-cli.ts'

const usage = `npm start                  starts the stack: database, REST, Auth, Storage, Realtime, Functions
npm run reset              makes the database anew: migrations and seed; its data is gone
npm run status             says what runs, and where
npm run types              writes src/client/database.types.ts and docs/reference.md from the migrations
npm run advisors           asks the Supabase CLI's advisors about the schema

Options of start, after a double dash (npm start -- --port 54421):
  --port <number>          the API's port, otherwise that of supabase/config.toml
  --db-port <number>       the database's port, likewise
  --help                   this text`

/** Runs a command of the command line, and says in one line why if it fails. */
export async function runCommand(args: string[]): Promise<void> {
  try {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: { port: { type: 'string' }, 'db-port': { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    })
    const [command = 'start', ...rest] = positionals
    if (values.help) return console.log(usage)
    if (rest.length) throw new Error(`There is no ${command} ${rest.join(' ')}.\n\n${usage}`)
    // Loaded when asked for: the text above should not wait for a database's drivers.
    if (command === 'start') {
      const custom = readConfig(projectRoot)
      const ports = [
        port(values.port, custom.port, '--port'),
        port(values['db-port'], custom.databasePort, '--db-port'),
      ] as const
      return await (await quietly(() => import('./start.ts'))).start(...ports)
    }
    if (command === 'reset') return await (await quietly(() => import('./reset.ts'))).reset()
    if (command === 'status') return await (await quietly(() => import('./status.ts'))).status()
    if (command === 'types') return await (await quietly(() => import('./types.ts'))).types()
    if (command === 'advisors') return await (await quietly(() => import('./advisors.ts'))).advisors()
    throw new Error(`There is no command ${command}.\n\n${usage}`)
  } catch (error) {
    console.error(`\n${messageOf(error)}`)
    if (process.env.DEBUG) console.error(error)
    process.exitCode = 1
  }
}

// supabase-js, which the stack brings along, tells whoever loads it on Node 20 that this is an old one; it still serves.
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const { warn } = console
  console.warn = (...words) => {
    if (!String(words[0]).includes('Node.js 20')) warn(...words)
  }
  try {
    return await load()
  } finally {
    console.warn = warn
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isUsage = (error as NodeJS.ErrnoException).code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
  // Node goes on to explain how to pass a word that begins with a dash, which nobody meant.
  return isUsage ? `${error.message.split('. ')[0]}.\n\n${usage}` : error.message
}

function port(text: string | undefined, custom: number, flag: string): number {
  const number = Number(text ?? custom)
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw new Error(`${flag} takes a port from 1 to 65535, not ${text}.`)
  return number
}
