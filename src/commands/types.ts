import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateReference } from '../stack/postgres/generate-reference.ts'
import { generateTypes } from '../stack/postgres/generate-types.ts'
import { applyMigrations } from '../stack/postgres/migrations.ts'
import { withScratchCluster } from '../stack/postgres/scratch.ts'
import { projectRoot } from '../stack/supabase-cli.ts'

const generators = {
  'src/client/database.types.ts': generateTypes,
  'docs/reference.md': generateReference,
}

/** `npm run types`: writes the types and the reference from the migrations. */
export function types(): Promise<void> {
  return withScratchCluster(async (cluster) => {
    await applyMigrations(cluster.url('postgres'))
    for (const [file, generate] of Object.entries(generators)) {
      writeFileSync(join(projectRoot, file), await generate(cluster.url('postgres')))
      console.log(`Wrote ${file}`)
    }
  })
}
