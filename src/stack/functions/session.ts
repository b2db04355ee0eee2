import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { denoBinary } from './deno.ts'
import { type Message, recordSeparator } from './protocol.ts'

/** Takes what a function writes; `name` is the function's, or `functions` for the runtime's own words. */
export type FunctionLog = (name: string, text: string) => void

export interface SessionOptions {
  /** Arguments of Deno, from `run` on. */
  args: string[]
  cwd: string
  /** All of Deno's environment. */
  env: Record<string, string>
  log: FunctionLog
}

/** One Deno process, from its start to its end. */
export interface Session {
  child: ChildProcessWithoutNullStreams
  ready: Promise<void>
  closed: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  isRunning(): boolean
  boot(name: string, dead?: number): Promise<number>
  forget(name: string): void
}

/** @throws when npm installed no Deno for this machine. */
export function launch({ args, cwd, env, log }: SessionOptions): Session {
  // A process group of its own: Ctrl-C reaches the stack, which then closes it in order.
  const child = spawn(denoBinary(), args, { cwd, env, detached: true })
  const waiting = new Map<number, { resolve(port: number): void; reject(error: Error): void }>()
  // Asking at each call would cost as much as the call.
  const ports = new Map<string, number>()
  const forget = (name: string) => void ports.delete(name)
  let lastId = 0
  let gone = false
  const closed: Session['closed'] = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }))
  })

  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { text, message } = readLine(line)
      if (text) log('functions', text)
      if (!message) return
      if (message.type === 'ready') return resolve()
      if (message.type === 'log') return log(message.name, message.text.trimEnd())
      if (message.type === 'moved') return forget(message.name)
      const caller = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.type === 'booted') caller?.resolve(message.port)
      else caller?.reject(new Error('The function did not start.'))
    })
    createInterface({ input: child.stderr }).on('line', (line) => log('functions', line))
    closed.then(() => {
      gone = true
      const error = new Error('Deno stopped.')
      reject(error)
      for (const caller of waiting.values()) caller.reject(error)
    })
  })
  ready.catch(() => undefined)
  // A write to a process that has just died fails; its 'close' event is what counts.
  child.stdin.on('error', () => undefined)
  child.on('error', (error) => log('functions', `Deno cannot be run: ${error.message}`))

  function boot(name: string, dead?: number): Promise<number> {
    if (gone) return Promise.reject(new Error('Deno stopped.'))
    const known = ports.get(name)
    if (known !== undefined && known !== dead) return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      const id = ++lastId
      const found = (port: number) => {
        ports.set(name, port)
        resolve(port)
      }
      waiting.set(id, { resolve: found, reject })
      child.stdin.write(`${JSON.stringify({ id, boot: name, dead })}\n`)
    })
  }
  return { child, ready, closed, boot, forget, isRunning: () => !gone }
}

// A function may write to stdout itself, also in the middle of a line, and anything at all.
function readLine(line: string): { text?: string; message?: Message } {
  const start = line.indexOf(recordSeparator)
  if (start < 0) return { text: line }
  try {
    const message = JSON.parse(line.slice(start + 1)) as Message
    return message?.type ? { text: line.slice(0, start), message } : { text: line }
  } catch {
    return { text: line }
  }
}
