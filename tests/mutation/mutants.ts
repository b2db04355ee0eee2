import type pg from 'pg'

/** A rule that is taken away, and put back. */
export interface Mutant {
  name: string
  apply: string
  restore: string
  /** The function that was changed; a policy's table has none, since no count tells who reads it. */
  calls?: string
  /** A test that has these words is likely to notice. */
  words: string[]
}

interface Routine {
  signature: string
  name: string
  returns: string
  definition: string
}

/** What a verdict answers that speaks against nothing, by what it returns. */
const allowed: Record<string, string> = {
  void: 'return;',
  text: 'return null;',
  uuid: 'return private.my_id();',
  'public.organization_role': "return 'admin';",
  'public.chat_messages': 'return (select m from public.chat_messages as m where m.id = p_message_id);',
  'private.job_queues': 'return (select q from private.job_queues as q where q.name = p_queue);',
}

/** What policies and verdicts ask, answered as for somebody who may see everything. */
const sources: Record<string, string> = {
  are_blocked: 'return false;',
  blocked_ids_of: "return '{}';",
  hidden_up_to_seq: 'return 0;',
  is_my_room_topic: 'return true;',
  is_room_manager: 'return true;',
  is_room_member: 'return true;',
  key_mate_ids: 'return array(select id from public.profiles);',
  my_administered_ids: 'return array(select id from public.organizations);',
  my_contact_ids: 'return query select id from public.profiles;',
  my_hidden_seqs: "return '{}';",
  my_key_mate_ids: 'return array(select id from public.profiles);',
  my_organization_ids: 'return array(select id from public.organizations);',
  my_room_ids: 'return array(select id from public.chat_rooms);',
  my_unblocked_contact_ids: 'return array(select id from public.profiles);',
}

/** Each policy's clauses, one at a time: `using` says which rows, `with check` which new ones. */
export async function policyMutants(client: pg.Client): Promise<Mutant[]> {
  const { rows } = await client.query<{ policy: string; tablename: string; clause: string; condition: string }>(
    `select format('alter policy %I on %I.%I', policyname, schemaname, tablename) as policy, tablename, clause, condition
     from pg_policies,
       lateral (values ('using', qual), ('with check', with_check)) as clauses (clause, condition)
     where condition is not null
     order by 1, clause`,
  )
  return rows.map(({ policy, tablename, clause, condition }) => ({
    name: `${policy} ${clause} (true)`,
    apply: `${policy} ${clause} (true)`,
    restore: `${policy} ${clause} (${condition})`,
    words: [tablename],
  }))
}

/** Each verdict allows everything, and each list for policies holds everything. */
export async function verdictMutants(client: pg.Client): Promise<Mutant[]> {
  const routines = await routinesOf(client)
  return routines
    .filter(({ name }) => /^(require|verdict)_/.test(name) || name in sources)
    .map((routine) => {
      const body = sources[routine.name] ?? allowed[routine.returns]
      if (!body)
        throw new Error(`What does ${routine.signature} answer when everything is allowed? Say so in mutants.ts.`)
      return change(routine, `${routine.signature} allows everything`, `begin ${body} end`)
    })
}

/** Each refusal inside a function, one at a time, says nothing. */
export async function refusalMutants(client: pg.Client): Promise<Mutant[]> {
  const routines = await routinesOf(client)
  return routines.flatMap((routine) => {
    const body = bodyOf(routine)
    const calls = [
      ...body.matchAll(
        /perform private\.(?:refuse|refuse_for|require_\w+)\((?:[^()]|\([^()]*(?:\([^()]*\))*[^()]*\))*\)[^;]*;/g,
      ),
    ]
    return calls.map((call, nth) => {
      const before = calls.slice(0, nth).filter((other) => other[0] === call[0]).length
      const name = `${routine.signature} without ${call[0].replace(/\s+/g, ' ')}${before > 0 ? ` (${before + 1})` : ''}`
      return change(routine, name, `${body.slice(0, call.index)}null;${body.slice(call.index + call[0].length)}`)
    })
  })
}

function change(routine: Routine, name: string, body: string): Mutant {
  return {
    name,
    apply: routine.definition.replace(bodyOf(routine), () => body),
    restore: routine.definition,
    calls: routine.signature,
    words: [routine.name, ...(name.match(/(?<=')[a-z_]+(?=')/) ?? [])],
  }
}

function bodyOf(routine: Routine): string {
  const [, body] = /\$function\$([\s\S]*)\$function\$/.exec(routine.definition) ?? []
  if (body === undefined) throw new Error(`${routine.signature} has no body`)
  return body
}

async function routinesOf(client: pg.Client): Promise<Routine[]> {
  const { rows } = await client.query<Routine>(
    `select p.oid::regprocedure::text as signature, proname as name, format_type(prorettype, null) as returns,
       pg_get_functiondef(p.oid) as definition
     from pg_proc as p
     where pronamespace in ('public'::regnamespace, 'private'::regnamespace) and prokind = 'f'
     order by 1`,
  )
  return rows
}
