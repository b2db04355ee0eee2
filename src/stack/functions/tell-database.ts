import pg from 'pg'

/**
 * Tells the database where the job functions are and what to show them, in the vault: what one does by hand for a hosted
 * project. Without it jobs would wait for ever.
 */
export async function tellDatabase(databaseUrl: string, functionsUrl: string, jobSecret: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await keep(client, 'parley_functions_url', functionsUrl)
    await keep(client, 'parley_job_secret', jobSecret)
  } finally {
    await client.end()
  }
}

async function keep(client: pg.Client, name: string, secret: string): Promise<void> {
  const { rowCount } = await client.query(
    'select vault.update_secret(id, new_secret => $2) from vault.secrets where name = $1',
    [name, secret],
  )
  if (rowCount === 0) await client.query('select vault.create_secret($2, $1)', [name, secret])
}
