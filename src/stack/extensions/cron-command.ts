import type pg from 'pg'

/** A run that cannot be made, in the words that pg_cron has for it. */
export class RunError extends Error {}

/**
 * Runs a job's command, of one statement or several.
 * @param client not used for anything else: after a failure its connection may be in any state
 * @returns what the last statement did, as pg_cron words it: `INSERT 0 1`, or `1 row` when it returned a table
 * @throws RunError for COPY, which has nobody to copy from or to
 */
export function runCommand(client: pg.Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // A result of pg 8.23.1 has only the first word of `CREATE TABLE`; the connection tells the whole tag.
    const { connection } = client
    let last = '0 rows'
    let rows: number | undefined
    connection.on('rowDescription', () => {
      rows = 0
    })
    connection.on('dataRow', () => {
      rows = (rows ?? 0) + 1
    })
    connection.on('commandComplete', ({ text }: { text: string }) => {
      if (rows === undefined) last = text
      else last = rows === 1 ? '1 row' : `${rows} rows`
      rows = undefined
    })
    for (const copy of ['copyInResponse', 'copyOutResponse']) {
      connection.on(copy, () => reject(new RunError('COPY not supported')))
    }
    client.query(command).then(() => resolve(last), reject)
  })
}
