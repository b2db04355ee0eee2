import { generateTypescript, sortGeneratorMetadata } from '@supabase/postgrest-typegen/generation'
import { introspect } from '@supabase/postgrest-typegen/introspection'
import pg from 'pg'

/** The TypeScript types of what the API exposes, as `supabase gen types` writes them. */
export async function generateTypes(url: string): Promise<string> {
  const pool = new pg.Pool({ connectionString: url })
  try {
    const metadata = await introspect(pool, { includedSchemas: ['public'] })
    return await generateTypescript(sortGeneratorMetadata(metadata), {
      postgrestVersion: '13',
      detectOneToOneRelationships: true,
    })
  } finally {
    await pool.end()
  }
}
