import { readFile } from 'node:fs/promises'
import pg from 'pg'

/** What a pgTAP file had to say. */
export interface TapReport {
  planned: number | null
  passed: number
  /** The failed assertions, each with what pgTAP says of it: what was there and what was wanted. */
  failures: string[]
}

/**
 * Runs a pgTAP file against a database and reads its TAP lines.
 * @throws when Postgres stops the file with an error: the message names the file, the line and the last assertion made.
 */
export async function runPgTap(file: string, url: string): Promise<TapReport> {
  const source = await readFile(file, 'utf8')
  const lines: string[] = []
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await new Promise<void>((resolve, reject) => {
      const query = new pg.Query(source)
      query.on('row', (row: object) => {
        for (const value of Object.values(row)) if (typeof value === 'string') lines.push(...value.split('\n'))
      })
      query.on('error', (error) => reject(new Error(describe(error as pg.DatabaseError, source, lines))))
      query.on('end', () => resolve())
      client.query(query)
    })
  } finally {
    await client.end()
  }
  return parseTap(lines)
}

function parseTap(lines: string[]): TapReport {
  const report: TapReport = { planned: null, passed: 0, failures: [] }
  let inFailure = false
  for (const line of lines) {
    const plan = line.match(/^1\.\.(\d+)/)
    if (plan) report.planned = Number(plan[1])
    else if (/^ok \d+/.test(line)) {
      report.passed += 1
      inFailure = false
    } else if (/^not ok \d+/.test(line)) {
      report.failures.push(line)
      inFailure = true
    } else if (line.startsWith('#') && inFailure) {
      report.failures[report.failures.length - 1] += `\n${line}`
    } else if (/^# (Looks like|No tests run)/.test(line)) {
      report.failures.push(line)
    }
  }
  return report
}

function describe(error: pg.DatabaseError, source: string, lines: string[]): string {
  const line = error.position ? `, line ${source.slice(0, Number(error.position)).split('\n').length}` : ''
  const last = lines.findLast((text) => /^(not )?ok /.test(text)) ?? 'no assertion yet'
  return `${error.message} (${error.code}${line}; ${error.where ?? 'no context'})\nlast assertion: ${last}`
}
