import type { DatabaseBroadcast, RowChange } from './replication.ts'

/** Whether a change is a new message of `realtime.messages`, whose partitions are named after it. */
export function isBroadcast({ schema, table, type }: RowChange): boolean {
  return schema === 'realtime' && table.startsWith('messages') && type === 'INSERT'
}

/**
 * A row of `realtime.messages` as a broadcast, whatever its extension, as on hosted.
 * @throws when the row lacks something, as one that was inserted by hand may
 */
export function databaseBroadcast({ new: row }: RowChange): DatabaseBroadcast {
  const required = (column: string): string => {
    const value = row?.get(column)
    if (value == null) throw new Error(`its ${column} is null`)
    return value
  }
  required('inserted_at')
  const payload = row?.get('payload') ?? null
  const binaryPayload = row?.get('binary_payload') ?? null
  if (payload === null && binaryPayload === null) throw new Error('it has no payload')
  // As jsonb writes it.
  if (payload !== null && !payload.startsWith('{')) throw new Error('its payload is no object')
  return {
    id: required('id'),
    topic: required('topic'),
    event: required('event'),
    private: required('private') === 't',
    payload,
    // \x and two digits a byte.
    binaryPayload: binaryPayload === null ? null : Buffer.from(binaryPayload.slice(2), 'hex'),
  }
}
