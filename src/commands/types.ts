import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateTypes } from '../stack/postgres/generate-types.ts'
import { applyMigrations } from '../stack/postgres/migrations.ts'
import { withScratchCluster } from '../stack/postgres/scratch.ts'
import { projectRoot } from '../stack/supabase-cli.ts'

/** `npm run types`: writes src/client/database.types.ts from the migrations. */
export function types(): Promise<void> {
  return withScratchCluster(async (cluster) => {
    await applyMigrations(cluster.url('postgres'))
    writeFileSync(join(projectRoot, 'src/client/database.types.ts'), await generateTypes(cluster.url('postgres')))
    console.log('Wrote src/client/database.types.ts')
  })
}
