import type { Person } from './people.ts'

// Each answers the room's id. The functions answer JSON, whatever its shape: the types say no more.

export async function chatOf(one: Person, other: Person): Promise<string> {
  const { data } = await one.client.rpc('start_direct_chat', { p_user_id: other.id }).throwOnError()
  return (data as { id: string }).id
}

/** A new one each time. */
export async function groupOf(title: string, owner: Person, ...others: Person[]): Promise<string> {
  const p_member_ids = others.map(({ id }) => id)
  const { data } = await owner.client.rpc('create_group_chat', { p_title: title, p_member_ids }).throwOnError()
  return (data as { id: string }).id
}
