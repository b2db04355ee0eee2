import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'smol-toml'

/** One `[functions.<name>]` of `supabase/config.toml`. */
export interface FunctionConfig {
  name: string
  /** Absolute path of the file that answers requests. */
  entrypoint: string
  /** Whether a caller needs a valid user token before the function sees the request. */
  verifyJwt: boolean
}

interface Section {
  enabled?: boolean
  verify_jwt?: boolean
  entrypoint?: string
  import_map?: string
}

/**
 * The functions that `<root>/supabase/config.toml` switches on, with the Supabase CLI's defaults: enabled, `verify_jwt`
 * on, entrypoint `functions/<name>/index.ts`. Paths in the file are relative to `supabase/`.
 *
 * @throws when the file is no valid TOML, or asks for an import map that Deno would not use here.
 */
export function readFunctions(root: string): FunctionConfig[] {
  const supabase = join(root, 'supabase')
  const file = join(supabase, 'config.toml')
  const { functions = {} } = parseFile(file) as { functions?: Record<string, Section> }
  return Object.entries(functions)
    .filter(([, section]) => section.enabled ?? true)
    .map(([name, section]) => {
      const entrypoint = resolve(supabase, section.entrypoint ?? `functions/${name}/index.ts`)
      checkImportMap(file, name, section, supabase, entrypoint)
      return { name, entrypoint, verifyJwt: section.verify_jwt ?? true }
    })
}

function parseFile(file: string): unknown {
  if (!existsSync(file)) throw new Error(`${file} is missing: it says which functions there are.`)
  try {
    return parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`${file} is no valid TOML: ${(cause as Error).message}`, { cause })
  }
}

// Deno takes a function's imports from the deno.json beside it. Another import map would be used when deploying and
// ignored here, which is a difference nobody finds.
function checkImportMap(file: string, name: string, section: Section, supabase: string, entrypoint: string): void {
  if (!section.import_map) return
  const beside = ['deno.json', 'deno.jsonc'].map((config) => join(dirname(entrypoint), config))
  if (beside.includes(resolve(supabase, section.import_map))) return
  throw new Error(
    `${file}: import_map of [functions.${name}] must be the deno.json beside its entrypoint, or left out.`,
  )
}
