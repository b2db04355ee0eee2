// Runs in Deno. Gives every function a worker of its own: a function that fails takes only its worker with it, and one
// that was edited is loaded afresh.
import type { Command, Message, RouterOptions, WorkerMessage } from './protocol.ts'
import { recordSeparator } from './protocol.ts'

interface Running {
  worker: Worker
  port: Promise<number>
  /** Rejects the port while the function is still starting; without a reason nobody is told why. */
  giveUp(reason?: string): void
}

// Long enough for a slow import, short enough that a function which never calls Deno.serve is found out.
const bootLimitMs = 10_000
// How long the old version of an edited function may finish what it is doing.
const retireLimitMs = 10_000
// Editors write a file in several steps.
const settleMs = 50

const { functions, watched } = JSON.parse(Deno.args[0] ?? '') as RouterOptions
const entrypoints = new Map(functions.map(({ name, entrypoint }) => [name, toUrl(entrypoint)]))
const running = new Map<string, Running>()
const everCalled = new Set<string>()

function start(name: string): Running {
  const entrypoint = entrypoints.get(name)
  if (!entrypoint) throw new Error(`No function is called ${name}.`)
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name })
  const { promise: port, resolve, reject } = Promise.withResolvers<number>()
  const started: Running = { worker, port, giveUp: reject }
  const isCurrent = () => running.get(name) === started
  const stopped = (reason: string) => {
    if (isCurrent()) forget(name)
    reject(reason)
  }
  const limit = setTimeout(() => {
    stopped(`Within ${bootLimitMs / 1000} s it did not call Deno.serve.`)
  }, bootLimitMs)

  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.type === 'booted') resolve(data.port)
    else if (data.type === 'log') log(name, data.text)
    else if (data.type === 'failed') stopped(data.text)
    else {
      if (isCurrent()) log(name, 'The function exited.')
      stopped('It exited.')
    }
  }
  worker.onerror = (event) => {
    event.preventDefault()
    log(name, `The function stopped: ${event.message}\n    at ${event.filename}:${event.lineno}:${event.colno}`)
    stopped('It stopped.')
  }
  port
    .catch((reason) => {
      if (reason) log(name, `The function did not start. ${reason}`)
      worker.terminate()
    })
    .finally(() => clearTimeout(limit))

  running.set(name, started)
  worker.postMessage({ type: 'boot', entrypoint })
  return started
}

/** Ends the function's worker once it has done what is under way; at once when it is still starting. */
function retire(name: string) {
  const old = running.get(name)
  if (!old) return
  forget(name)
  old.giveUp()
  old.worker.postMessage({ type: 'retire' })
  setTimeout(() => old.worker.terminate(), retireLimitMs)
}

function forget(name: string) {
  running.delete(name)
  send({ type: 'moved', name })
}

async function boot({ id, boot: name, dead }: Command) {
  everCalled.add(name)
  const known = running.get(name)
  if (known && dead !== undefined && (await known.port.catch(() => dead)) === dead) {
    if (running.get(name) === known) forget(name)
    known.worker.terminate()
  }
  while (true) {
    const current = running.get(name) ?? start(name)
    try {
      return send({ type: 'booted', id, port: await current.port })
    } catch {
      // The reason is in the log already. Who waited for a version that was then edited, gets the new one.
      if (!running.has(name)) return send({ type: 'failed', id })
    }
  }
}

/** A function whose folder changed is loaded afresh; what lies outside every such folder is shared by all. */
function reload(paths: Set<string>) {
  // Deno reads import maps once, when it starts: the stack starts it again.
  if ([...paths].some((path) => /[/\\]deno\.jsonc?$/.test(path))) Deno.exit(0)

  const folders = functions.map(({ name, entrypoint }) => ({ name, folder: folderOf(entrypoint) }))
  const owners = [...paths].map((path) => folders.filter(({ folder }) => path.startsWith(folder)))
  const changed = owners.some((names) => names.length === 0) ? folders : owners.flat()
  for (const name of new Set(changed.map(({ name }) => name))) {
    if (!everCalled.has(name)) continue
    retire(name)
    start(name)
  }
}

async function watch() {
  if (watched.length === 0) return
  let paths = new Set<string>()
  let settled: ReturnType<typeof setTimeout> | undefined
  for await (const { kind, paths: touched } of Deno.watchFs(watched)) {
    if (kind === 'access') continue
    for (const path of touched) paths.add(path)
    clearTimeout(settled)
    settled = setTimeout(() => {
      const ready = paths
      paths = new Set()
      reload(ready)
    }, settleMs)
  }
}

async function obey() {
  let rest = ''
  for await (const chunk of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) boot(JSON.parse(line))
  }
  // The stack is gone, however it went.
  Deno.exit(0)
}

function log(name: string, text: string) {
  send({ type: 'log', name, text })
}

function send(message: Message) {
  let bytes = new TextEncoder().encode(`${recordSeparator}${JSON.stringify(message)}\n`)
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes))
}

function toUrl(path: string): string {
  const url = new URL('file:///')
  url.pathname = path.replaceAll('\\', '/').replaceAll('%', '%25')
  return url.href
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1)
}

obey()
watch().catch((error) => {
  log('functions', `Edits will not be noticed before the next start, because the sources cannot be watched: ${error}`)
})
send({ type: 'ready' })
