import { advise } from '../stack/postgres/advise.ts'
import { applyMigrations } from '../stack/postgres/migrations.ts'
import { withScratchCluster } from '../stack/postgres/scratch.ts'

/** `npm run advisors`: what the Supabase CLI's security and performance advisors say of the schema. */
export function advisors(): Promise<void> {
  return withScratchCluster(async (cluster) => {
    await applyMigrations(cluster.url('postgres'))
    const advice = await advise(cluster.url('postgres'))
    for (const { level, title, detail, remediation } of advice) {
      console.log(`${level} ${title}: ${detail}\n  ${remediation}`)
    }
    if (advice.length) process.exitCode = 1
    else console.log('The advisors have nothing to say.')
  })
}
