import pg from 'pg'

// Postgres' names of the errors that a filter can cause, as its manual lists them.
const conditionNames: Record<string, string> = {
  '21000': 'cardinality_violation',
  '22003': 'numeric_value_out_of_range',
  '22007': 'invalid_datetime_format',
  '22008': 'datetime_field_overflow',
  '22009': 'invalid_time_zone_displacement_value',
  '22021': 'character_not_in_repertoire',
  '22023': 'invalid_parameter_value',
  '22025': 'invalid_escape_sequence',
  '2202E': 'array_subscript_error',
  '22030': 'duplicate_json_object_key_value',
  '22P02': 'invalid_text_representation',
  '22P05': 'untranslatable_character',
  '23502': 'not_null_violation',
  '23514': 'check_violation',
  '42501': 'insufficient_privilege',
  '42704': 'undefined_object',
  '42725': 'ambiguous_function',
  '42883': 'undefined_function',
  '42P22': 'indeterminate_collation',
  '54000': 'program_limit_exceeded',
  '57014': 'query_canceled',
  P0001: 'raise_exception',
}

/** An error as it stands in a message to the client: `ERROR 22P02 (invalid_text_representation) invalid input …`. */
export function errorText(code: string, message: string): string {
  const name = conditionNames[code]
  return `ERROR ${code}${name ? ` (${name})` : ''} ${message}`
}

/** Whether it is the connection that failed, or the server that went away, and not the statement. */
export function isConnectionLoss(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || /^(08|53|57P)/.test(error.code ?? '')
}
