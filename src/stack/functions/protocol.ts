// What the stack and its Deno process tell each other: one JSON object a line, commands on stdin, messages on stdout.

/** The first argument of the Deno process, as JSON. */
export interface RouterOptions {
  functions: { name: string; entrypoint: string }[]
  /** Folders whose changes are picked up. */
  watched: string[]
}

/** Asks for the port of a running function; it is started when it is not running yet. */
export interface Command {
  id: number
  boot: string
  /** A port where nobody answered: if the function is still thought to be there, it is started anew. */
  dead?: number
}

export type Message =
  | { type: 'ready' }
  | { type: 'booted'; id: number; port: number }
  | { type: 'failed'; id: number }
  /** The function no longer answers at the port it had. */
  | { type: 'moved'; name: string }
  | { type: 'log'; name: string; text: string }

/** Starts every message on stdout, because functions may write there too (ASCII's record separator, as in RFC 7464). */
export const recordSeparator = '\u001e'

/** From a function's worker to the router. */
export type WorkerMessage =
  | { type: 'booted'; port: number }
  | { type: 'failed'; text: string }
  | { type: 'log'; text: string }
  | { type: 'closed' }

/** From the router to a function's worker: begin, or finish what is under way and leave. */
export type WorkerCommand = { type: 'boot'; entrypoint: string } | { type: 'retire' }
