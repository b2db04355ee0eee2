import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** `deno` is the one the stack runs functions with; `deno-hosted` is the version hosted Supabase is compatible with. */
export type DenoPackage = 'deno' | 'deno-hosted'

/**
 * The path of Deno's own executable. The package's `bin` is a Node wrapper that does not hand signals on: ending it
 * leaves Deno behind.
 *
 * @throws when npm installed no such Deno for this machine (an unsupported system, or `--omit=optional`; hosted's
 *   version is installed on Linux x64 alone).
 */
export function denoBinary(name: DenoPackage = 'deno'): string {
  const { platform, arch } = process
  const target = `${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
  const fromHere = createRequire(import.meta.url)
  try {
    const folder =
      name === 'deno'
        ? dirname(createRequire(fromHere.resolve('deno/package.json')).resolve(`@deno/${target}/package.json`))
        : dirname(fromHere.resolve('deno-hosted/package.json'))
    return join(folder, platform === 'win32' ? 'deno.exe' : 'deno')
  } catch (cause) {
    throw new Error(`There is no ${name} for ${target} in node_modules. Run npm install without --omit=optional.`, {
      cause,
    })
  }
}
