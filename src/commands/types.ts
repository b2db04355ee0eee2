import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateTypes } from '../stack/postgres/generate-types.ts'
import { applyMigrations } from '../stack/postgres/migrations.ts'
import { startScratchCluster } from '../stack/postgres/scratch.ts'
import { projectRoot } from '../stack/supabase-cli.ts'

/** `npm run types`: writes src/client/database.types.ts from the migrations. */
export async function types(): Promise<void> {
  const cluster = await startScratchCluster()
  try {
    await applyMigrations(cluster.url('postgres'))
    writeFileSync(join(projectRoot, 'src/client/database.types.ts'), await generateTypes(cluster.url('postgres')))
  } finally {
    await cluster.stop()
  }
  console.log('Wrote src/client/database.types.ts')
}
