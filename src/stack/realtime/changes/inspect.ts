/** JSON as Supabase's server writes it into its messages: `nil`, `["a", "b"]`, `%{"schema" => "public"}`. */
export function inspect(value: unknown): string {
  if (value === null || value === undefined) return 'nil'
  if (Array.isArray(value)) return `[${value.map(inspect).join(', ')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `%{${pairs.map(([key, item]) => `${inspect(key)} => ${inspect(item)}`).join(', ')}}`
}
