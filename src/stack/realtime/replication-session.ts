import { randomBytes } from 'node:crypto'
import type { Client, DatabaseError } from 'pg'
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from 'pg-logical-replication'

export interface ReplicationSession {
  /** Settles when the connection is gone, and the slot with it, to what ended it. Never rejects. */
  ended: Promise<Error>
}

interface SessionOptions {
  /** A connection string of a role that may replicate. */
  url: string
  publications: string[]
  /** Each part of each committed transaction, in the order of the commits. Must not throw. Values are Postgres' text. */
  onMessage(message: Pgoutput.Message): void
  /** Ends the session. */
  signal: AbortSignal
}

const settings = [
  // The stream writes values as this session would: as text that any other session reads alike.
  'datestyle=ISO',
  'intervalstyle=postgres',
  'timezone=UTC',
  'bytea_output=hex',
  'lock_timeout=2000',
]

/**
 * One connection that streams publications from a temporary slot of its own: Postgres drops the slot with the
 * connection, however that ends.
 * @throws when it cannot be made to stream
 */
export async function openReplicationSession(options: SessionOptions): Promise<ReplicationSession> {
  const { url, publications, onMessage, signal } = options
  const service = new LogicalReplicationService(
    {
      connectionString: url,
      application_name: 'realtime',
      options: settings.map((setting) => `-c ${setting}`).join(' '),
    },
    // The library's own acknowledgements are one byte ahead: see below.
    { acknowledge: { auto: false, timeoutSeconds: 0 } },
  )
  let client: Client | undefined
  let cause: Error | undefined
  const end = (why: Error) => {
    cause ??= why
    client?.connection.end()
  }

  const decoder = new PgoutputPlugin({ protoVersion: 1, publicationNames: publications })
  const plugin = {
    options: decoder.options,
    name: decoder.name,
    async start(connected: Client, slot: string, lsn: string) {
      client = connected
      await createSlot(client, slot, signal)
      await decoder.start(client, slot, lsn)
    },
    // Decoded by the listener below: the library catches nothing that is thrown here.
    parse: (buffer: Buffer) => () => decoder.parse(buffer),
  }
  service.on('data', (_lsn: string, decode: () => Pgoutput.Message) => {
    try {
      const message = decode()
      if (message.tag === 'relation') for (const column of message.columns) column.parser = asText
      onMessage(message)
    } catch (error) {
      end(asError(error))
    }
  })

  let acknowledgedAt = 0
  service.on('heartbeat', (lsn: string, _time: number, shouldRespond: boolean) => {
    if (!shouldRespond && Date.now() - acknowledgedAt < 1000) return
    acknowledgedAt = Date.now()
    void service.acknowledge(before(lsn))
  })

  service.on('error', (error: Error) => {
    cause ??= error
  })
  const started = new Promise<void>((resolve) => service.once('start', resolve))
  const abort = () => end(asError(signal.reason))
  signal.addEventListener('abort', abort)
  const slot = `supabase_realtime_messages_replication_slot_${randomBytes(4).toString('hex')}`
  const ended = service
    .subscribe(plugin, slot)
    .catch((error: unknown) => {
      cause ??= asError(error)
    })
    .then(async () => {
      signal.removeEventListener('abort', abort)
      await service.destroy()
      return cause ?? new Error('Postgres ended the replication')
    })
  await Promise.race([
    started,
    ended.then((error) => {
      throw error
    }),
  ])
  return { ended }
}

/**
 * Postgres begins a slot once all transactions have ended that were open before, in any database, and does not notice
 * meanwhile that we have gone. So it waits for a bounded time, again and again.
 */
async function createSlot(client: Client, name: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    try {
      await client.query(`CREATE_REPLICATION_SLOT ${name} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')`)
      return
    } catch (error) {
      if ((error as DatabaseError).code !== lockNotAvailable) throw error
    }
  }
}

const lockNotAvailable = '55P03'

const asText = (text: string) => text

/**
 * pg-logical-replication 2.5.0 acknowledges one byte more than it is told. A Postgres that is stopping waits until
 * exactly what it has sent is acknowledged, so the library must be told one byte less.
 */
function before(lsn: string): string {
  const [high = '', low = ''] = lsn.split('/')
  const position = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) - 1n
  return `${(position >> 32n).toString(16)}/${(position & 0xffffffffn).toString(16)}`
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
