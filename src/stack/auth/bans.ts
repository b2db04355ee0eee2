import { invalid } from './errors.ts'

const milliseconds: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * When a ban ends.
 * @param duration numbers with units, as Go writes them: `24h`, `1h30m`; or `none`, which lifts a ban
 */
export function banUntil(duration: string): Date | null {
  if (duration === 'none') return null
  if (!/^\+?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(duration)) {
    throw invalid(`invalid format for ban duration: time: invalid duration "${duration}"`)
  }
  const parts = duration.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)
  const total = [...parts].reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (milliseconds[unit] ?? 0), 0)
  return total === 0 ? null : new Date(Date.now() + total)
}
