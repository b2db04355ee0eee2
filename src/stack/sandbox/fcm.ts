import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { type FailureScript, Failures, InvalidScript, suffer } from './failures.ts'
import { badRequest, FcmError, isFcmErrorCode, refused, scriptedError } from './fcm/errors.ts'
import { type Message, readMessage } from './fcm/message.ts'
import { TokenEndpoint } from './fcm/oauth.ts'
import { Phones } from './fcm/phones.ts'
import { failureIn } from './fcm/self-describing-token.ts'
import type { ServiceAccount } from './fcm/service-account.ts'

const operations = ['token', 'send'] as const
type Operation = (typeof operations)[number]

const keptTopicMessages = 1000
const keptTokens = 10_000

/**
 * Firebase Cloud Messaging v1 on loopback, with Google's token endpoint and the phones behind it. Messages to topics and
 * conditions are accepted and kept, and reach no device: nothing subscribes here.
 */
export class FcmFake {
  readonly failures = new Failures(operations)
  readonly #account: ServiceAccount
  readonly #tokens: TokenEndpoint
  readonly #phones = new Phones()
  readonly #closing = new AbortController()
  #topics: { name: string; message: Message }[] = []
  #requests: Partial<Record<Operation, number>> = {}
  // How often a self-describing token still fails.
  readonly #remaining = new Map<string, number>()

  constructor(account: ServiceAccount) {
    this.#account = account
    this.#tokens = new TokenEndpoint(account)
  }

  /** What a test may look at: the fake's whole state. */
  inspect() {
    return {
      project_id: this.#account.project_id,
      received: this.#phones.received(),
      devices: this.#phones.inspect(),
      topics: this.#topics,
      requests: this.#requests,
      failures: this.failures.list(),
    }
  }

  /** Scripts a failure. Throws InvalidScript. */
  script(input: unknown): FailureScript {
    const { code } = (input ?? {}) as FailureScript
    if (code !== undefined && !isFcmErrorCode(code)) throw new InvalidScript(`no such FCM error code: ${code}`)
    return this.failures.add(input)
  }

  setOnline(token: string, online: boolean): void {
    this.#phones.setOnline(token, online)
  }

  /** Forgets messages, devices, counts and scripted failures. */
  reset(): void {
    this.#phones.clear()
    this.#topics = []
    this.#requests = {}
    this.#remaining.clear()
    this.failures.clear()
  }

  /** Ends calls that a scripted failure keeps waiting. */
  close(): void {
    this.#closing.abort()
  }

  app(): Hono {
    const app = new Hono()
    app.onError((error) => {
      if (error instanceof FcmError) return error.response()
      throw error
    })
    app.notFound((c) => new FcmError(404, 'NOT_FOUND', `The requested URL ${c.req.path} was not found.`).response())

    app.post('/token', (c) =>
      this.#perform('token', this.failures.take('token'), c.req.raw.signal, () => this.#tokens.answer(c.req.raw)),
    )
    app.post('/v1/projects/:project/:call{messages:send}', async (c) => {
      await this.#authorise(c.req.raw, c.req.param('project'))
      const { message, validateOnly } = await readRequest(c.req.raw)
      const failure = this.failures.take('send', message.token) ?? this.#selfDescribed(message.token)
      return this.#perform('send', failure, c.req.raw.signal, () =>
        c.json({ name: this.#accept(message, validateOnly) }),
      )
    })
    return app
  }

  async #authorise(request: Request, project: string): Promise<void> {
    const expected = 'Expected OAuth 2 access token, login cookie or other valid authentication credential.'
    const access = await this.#tokens.access(request.headers.get('authorization'))
    if (access === 'missing') {
      throw refused(401, 'CREDENTIALS_MISSING', `Request is missing required authentication credential. ${expected}`)
    }
    if (access === 'invalid' || access === 'expired') {
      const reason = access === 'expired' ? 'ACCESS_TOKEN_EXPIRED' : 'ACCESS_TOKEN_TYPE_UNSUPPORTED'
      throw refused(401, reason, `Request had invalid authentication credentials. ${expected}`)
    }
    if (access === 'insufficient_scope') {
      throw refused(403, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'Request had insufficient authentication scopes.')
    }
    if (project !== this.#account.project_id) {
      const resource = `//cloudresourcemanager.googleapis.com/projects/${project}`
      const message = `Permission 'cloudmessaging.messages.create' denied on resource '${resource}' (or it may not exist).`
      throw refused(403, 'IAM_PERMISSION_DENIED', message)
    }
  }

  #accept(message: Message, validateOnly: boolean): string {
    const prefix = `projects/${this.#account.project_id}/messages/`
    if (validateOnly) return `${prefix}fake_message_id`
    const name = `${prefix}0:${Date.now()}%${randomBytes(8).toString('hex')}`
    const { token } = message
    if (token !== undefined) this.#phones.deliver({ name, token, at: new Date().toISOString(), message })
    else this.#topics = [...this.#topics, { name, message }].slice(-keptTopicMessages)
    return name
  }

  async #perform(
    operation: Operation,
    failure: FailureScript | undefined,
    caller: AbortSignal,
    work: () => Response | Promise<Response>,
  ): Promise<Response> {
    this.#requests[operation] = (this.#requests[operation] ?? 0) + 1
    if (!failure) return work()

    const done = failure.when === 'after' ? await work() : undefined
    await suffer(failure, AbortSignal.any([caller, this.#closing.signal]))
    const fails = failure.status !== undefined || failure.code !== undefined || failure.hang
    return fails ? scriptedError(failure).response() : (done ?? work())
  }

  #selfDescribed(token: string | undefined): FailureScript | undefined {
    const failure = token === undefined ? undefined : failureIn(token)
    if (!token || !failure?.times || failure.times === 'always') return failure
    const remaining = this.#remaining.get(token) ?? failure.times
    if (remaining === 0) return undefined
    this.#remaining.set(token, remaining - 1)
    const [oldest] = this.#remaining.keys()
    if (oldest !== undefined && this.#remaining.size > keptTokens) this.#remaining.delete(oldest)
    return failure
  }
}

async function readRequest(request: Request): Promise<{ message: Message; validateOnly: boolean }> {
  const text = await request.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw new FcmError(400, 'INVALID_ARGUMENT', `Invalid JSON payload received. ${cause.message}`)
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new FcmError(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received. The root is not an object.')
  }
  const { message, validate_only, validateOnly, ...others } = body as Record<string, unknown>
  const [unknown] = Object.keys(others)
  if (unknown) {
    const description = `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`
    throw badRequest([{ field: '', description }])
  }
  return { message: readMessage(message), validateOnly: (validate_only ?? validateOnly) === true }
}
