import { supabaseCli } from '../supabase-cli.ts'

export interface Advice {
  name: string
  level: string
  title: string
  detail: string
  remediation: string
}

/**
 * What the Supabase CLI's advisors find in a database, but for unused indexes: in a database nobody has used yet, all are.
 * @throws when the CLI cannot ask
 */
export async function advise(url: string): Promise<Advice[]> {
  const target = `--db-url=${url}?sslmode=disable`
  const { code, stdout, stderr } = await supabaseCli([
    'db',
    'advisors',
    target,
    '--level',
    'info',
    '--output-format',
    'json',
  ])
  if (code !== 0) throw new Error(`supabase db advisors failed: ${stderr || stdout}`)
  const { results } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { results: Advice[] }
  return results.filter(({ name }) => name !== 'unused_index')
}
