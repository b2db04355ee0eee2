import pg from 'pg'

/**
 * Connections that may be lost at any time: what was being done on one fails, the next use gets a new one.
 * @param lost told of a connection that broke while nobody used it
 */
export function openPool(config: pg.PoolConfig, lost: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool(config)
  pool.on('error', lost)
  // The pool of pg 8.23.1 does not listen to a connection in use, and an error that nobody listens to ends the process.
  // Whoever uses it learns of the loss from the statement that is running, or from the next one.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
