// Runs in Deno, once per function: what hosted Supabase's Edge Runtime puts around a function.
import { Console } from 'node:console'
import { Writable } from 'node:stream'
import type { WorkerCommand, WorkerMessage } from './protocol.ts'

interface WorkerScope {
  postMessage(message: WorkerMessage): void
  onmessage: (event: MessageEvent<WorkerCommand>) => void
  close(): void
  console: Console
  EdgeRuntime: { waitUntil<T>(task: Promise<T>): Promise<T> }
}

const scope = globalThis as unknown as WorkerScope
// Answers being sent, and what was given to waitUntil.
const underWay = new Set<Promise<unknown>>()
const realServe = Deno.serve.bind(Deno)
// How long an answer waits for a caller to send the rest of a body that the function did not read.
const readRestLimitMs = 1000
let server: Deno.HttpServer | undefined

type Handler = Deno.ServeHandler<Deno.NetAddr>

function serve(handler: Handler, onError = failed) {
  if (server) throw new Deno.errors.AddrInUse('This function serves already: call Deno.serve once.')
  // The gateway finds the function by name, so the port it asked for does not matter.
  const onListen = ({ port }: Deno.NetAddr) => scope.postMessage({ type: 'booted', port })
  server = realServe({ hostname: '127.0.0.1', port: 0, onListen, onError }, async (request, info) => {
    track(info.completed)
    const response = await handler(request, info)
    // What is sent back as it came is read while it is sent.
    if (response.body !== request.body) await readRest(request)
    return response
  })
  return server
}

// Deno resets the connection on a body that nobody reads, and a caller who is still sending it would miss the answer.
async function readRest({ body }: Request) {
  if (!body || body.locked) return
  const rest = body.pipeTo(new WritableStream()).catch(() => undefined)
  let timer: ReturnType<typeof setTimeout> | undefined
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, readRestLimitMs)
  })
  await Promise.race([rest, patience])
  clearTimeout(timer)
}

function track(task: Promise<unknown>) {
  const settled = task.catch(() => undefined)
  underWay.add(settled)
  settled.then(() => underWay.delete(settled))
}

function failed(error: unknown): Response | Promise<Response> {
  console.error(error)
  return new Response('Internal Server Error', { status: 500 })
}

// Deno.serve(handler), Deno.serve(options, handler), Deno.serve({ ...options, handler })
Deno.serve = ((first: Handler | (Deno.ServeTcpOptions & { handler?: Handler }), second?: Handler) => {
  const options = typeof first === 'function' ? {} : first
  const handler = typeof first === 'function' ? first : (second ?? options.handler)
  if (!handler) throw new TypeError('Deno.serve needs a handler.')
  return serve(handler, options.onError)
}) as typeof Deno.serve

scope.EdgeRuntime = {
  waitUntil<T>(task: Promise<T>): Promise<T> {
    track(Promise.resolve(task).catch((error) => console.error('In EdgeRuntime.waitUntil:', error)))
    return task
  },
}

// Lines go through the router, which knows whose they are.
const output = new Writable({
  decodeStrings: false,
  write(text, _encoding, done) {
    scope.postMessage({ type: 'log', text: String(text) })
    done()
  },
})
scope.console = new Console({ stdout: output, stderr: output })

// Deno.exit and process.exit end a worker without a word to its owner.
addEventListener('unload', () => scope.postMessage({ type: 'closed' }))

async function boot(entrypoint: string) {
  try {
    const module = await import(entrypoint)
    // Deno.serve wins over a default export, and may also come later: then nothing else is exported.
    if (server || !('default' in module)) return
    const fetch = module.default?.fetch
    if (typeof fetch !== 'function') throw new Error('It neither calls Deno.serve nor exports a default with a fetch.')
    serve((request) => fetch.call(module.default, request))
  } catch (error) {
    scope.postMessage({ type: 'failed', text: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

async function retire() {
  while (underWay.size > 0) await Promise.all(underWay)
  scope.close()
}

scope.onmessage = ({ data }) => {
  if (data.type === 'boot') boot(data.entrypoint)
  else retire()
}
