import { AuthorizationFailed } from './authorization.ts'
import { Channel, type Connection, noPermission } from './channel.ts'
import { type Claims, expiryMessage, millisecondsLeft } from './claims.ts'
import { type JoinConfig, readJoinConfig } from './join-config.ts'
import type { Project } from './project.ts'
import { type Replayed, readReplay, readReplayOptions } from './replay.ts'
import type { Message } from './serializer.ts'
import { InvalidToken, verifyToken } from './token.ts'

/** Why a client may not join. Its message is the reason that the client is given. */
export class JoinRefused extends Error {
  override readonly name = 'JoinRefused'
}

/** What a join needs of its socket. */
export interface Joining extends Connection {
  /** What the connection's own key or token says. */
  readonly claims: Claims
}

export const unavailable = 'UnableToConnectToProject: Realtime was unable to connect to the project database'

/** A channel, subscribed and not yet open, and what is to be replayed to it. */
export interface Admitted {
  channel: Channel
  replayed: Replayed[]
}

/**
 * What a client asks for.
 * @throws JoinRefused
 */
export async function join(project: Project, socket: Joining, message: Message): Promise<Admitted> {
  const config = configOf(message)
  const { claims, token } = await callerOf(project, socket, config)
  const joined = { topic: message.topic, joinRef: message.joinRef ?? message.ref, config, claims, token }
  const channel = new Channel(project, socket, joined)
  await authorize(project, channel, claims)
  // Before the replay is read, or what is broadcast meanwhile would be in neither.
  channel.subscribe()
  try {
    return { channel, replayed: await replayFor(project, channel) }
  } catch (error) {
    channel.abandon()
    throw error
  }
}

function configOf({ payload }: Message): JoinConfig {
  try {
    return readJoinConfig(payload)
  } catch {
    throw new JoinRefused('Unknown Error on Channel')
  }
}

async function callerOf(
  project: Project,
  socket: Joining,
  { token }: JoinConfig,
): Promise<{ claims: Claims; token: string | undefined }> {
  // A key stands for nobody in particular: the connection has shown one already.
  if (token === undefined || token.startsWith('sb_')) {
    if (millisecondsLeft(socket.claims) <= 0) throw new JoinRefused(`InvalidJWTToken: ${expiryMessage(socket.claims)}`)
    return { claims: socket.claims, token: undefined }
  }
  try {
    return { claims: await verifyToken(token, project.keys.jwtSecret), token }
  } catch (error) {
    throw error instanceof InvalidToken ? new JoinRefused(error.reason) : error
  }
}

async function authorize(project: Project, channel: Channel, claims: Claims): Promise<void> {
  const refusal = `Unauthorized: ${noPermission(channel.name)}`
  try {
    if ((await channel.access.refresh(claims)) === 'none') throw new JoinRefused(refusal)
  } catch (error) {
    if (!(error instanceof AuthorizationFailed)) throw error
    project.log(`realtime: ${channel.topic}: ${error.message}`)
    switch (error.kind) {
      case 'partition':
        throw new JoinRefused('MissingPartition: Realtime was unable to find the expected messages partition')
      case 'unavailable':
        throw new JoinRefused(unavailable)
      default:
        throw new JoinRefused(refusal)
    }
  }
}

async function replayFor(project: Project, channel: Channel): Promise<Replayed[]> {
  const { isPrivate, broadcast } = channel.config
  if (broadcast.replay === undefined) return []
  const refused = (why: string) => new JoinRefused(`UnableToReplayMessages: ${why}`)
  if (!isPrivate) throw refused('Replay is not allowed for public channels')
  if (!channel.access.readsBroadcast) throw new JoinRefused(`Unauthorized: ${noPermission(channel.name)}`)
  const options = readReplayOptions(broadcast.replay)
  if (!options) throw refused('Replay params are not valid')
  try {
    return await readReplay(project.pool, channel.name, options)
  } catch (error) {
    project.log(`realtime: replay of ${channel.topic}: ${(error as Error).message}`)
    throw refused('Realtime was unable to replay messages')
  }
}
