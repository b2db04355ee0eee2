import type { FieldViolation } from './errors.ts'
import type { Kind } from './message-schema.ts'

/**
 * Reads `value` as `kind`, the way Google's servers read JSON: names become snake_case, enums upper case, and what
 * does not fit is reported with its path. Returns what fits.
 */
export function parseAs(kind: Kind, value: unknown, path: string, violations: FieldViolation[]): unknown {
  const mismatch = (type: string, shown = JSON.stringify(value)) => {
    violations.push({ field: path, description: `Invalid value at '${path}' (${type}), ${shown}` })
  }
  if (value === null) return undefined
  if (typeof kind === 'object') return parseComposite(kind, value, path, violations, mismatch)

  switch (kind) {
    case 'string':
      return typeof value === 'string' ? value : mismatch('TYPE_STRING')
    case 'bool':
      return typeof value === 'boolean' ? value : mismatch('TYPE_BOOL')
    case 'int32':
      return Number.isInteger(value) ? value : mismatch('TYPE_INT32')
    case 'number':
      return typeof value === 'number' ? value : mismatch('TYPE_FLOAT')
    case 'timestamp':
      if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return value
      return mismatch('type.googleapis.com/google.protobuf.Timestamp')
    case 'duration': {
      if (typeof value === 'string' && /^-?\d+(\.\d{1,9})?s$/.test(value)) return value
      const field = path.split('.').at(-1)
      const reason = `Field '${field}', Illegal duration format; duration must end with 's'`
      return mismatch('type.googleapis.com/google.protobuf.Duration', reason)
    }
    case 'object':
      return isObject(value) ? value : mismatch('type.googleapis.com/google.protobuf.Struct')
  }
}

type Composite = Exclude<Kind, string>

function parseComposite(
  kind: Composite,
  value: unknown,
  path: string,
  violations: FieldViolation[],
  mismatch: (type: string) => void,
): unknown {
  if ('values' in kind) {
    const name = typeof value === 'string' ? value.toUpperCase() : undefined
    return name && kind.values.includes(name) ? name : mismatch(`type.googleapis.com/${kind.type}`)
  }
  if ('list' in kind) {
    if (!Array.isArray(value)) return mismatch('TYPE_ARRAY')
    return value.map((item, index) => parseAs(kind.list, item, `${path}[${index}]`, violations))
  }
  if (!isObject(value)) return mismatch('TYPE_MESSAGE')
  if ('map' in kind) {
    // Google names map entries by their place, not by their key.
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([key, item], index) => [key, parseAs('string', item, `${path}[${index}].value`, violations)]),
    )
  }

  const parsed: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const field = kind.fields[name]
    if (field) {
      parsed[name] = parseAs(field, item, `${path}.${name}`, violations)
    } else {
      const description = `Invalid JSON payload received. Unknown name "${key}" at '${path}': Cannot find field.`
      violations.push({ field: path, description })
    }
  }
  return parsed
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
