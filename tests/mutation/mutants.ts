import type pg from 'pg'

/** A rule that is taken away, and put back. */
export interface Mutant {
  name: string
  apply: string
  restore: string
  /** The function or table that it changes: a test that uses it, or has these words, may notice. */
  of: string
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

/** Each policy's clauses, as a whole and part by part: `using` says which rows, `with check` which new ones. */
export async function policyMutants(client: pg.Client): Promise<Mutant[]> {
  const { rows } = await client.query<{ policy: string; of: string; word: string; clause: string; condition: string }>(
    // A private table has no reader but the test that looks at its policy.
    `select
       format('alter policy %I on %I.%I', policyname, schemaname, tablename) as policy,
       format('%I.%I', schemaname, tablename) as of,
       case schemaname when 'private' then 'pg_policies' else tablename end as word,
       clause,
       condition
     from pg_policies,
       lateral (values ('using', qual), ('with check', with_check)) as clauses (clause, condition)
     where condition is not null and schemaname in ('public', 'private', 'realtime', 'storage')
     order by 1, clause`,
  )
  return rows.flatMap(({ policy, of, word, clause, condition }) =>
    [{ without: condition, looser: 'true' }, ...loosened(condition)].map(({ without, looser }) => ({
      name: `${policy} ${clause}, without ${without.replace(/\s+/g, ' ')}`,
      apply: `${policy} ${clause} (${looser})`,
      restore: `${policy} ${clause} (${condition})`,
      of,
      words: [word],
    })),
  )
}

/** A condition without one of the parts that are all to be true. Postgres writes each group of them in parentheses. */
function loosened(condition: string): { without: string; looser: string }[] {
  const looser: { without: string; looser: string }[] = []
  const groups: number[][] = []
  for (const { 0: token, index } of condition.matchAll(/\(| AND |\)/g)) {
    if (token === '(') groups.push([index + 1])
    else if (token === ' AND ') groups.at(-1)?.push(index, index + token.length)
    else {
      const bounds = [...(groups.pop() ?? []), index]
      for (let part = 0; bounds.length > 2 && part < bounds.length; part += 2) {
        const [start, end] = bounds.slice(part)
        looser.push({
          without: condition.slice(start, end),
          looser: `${condition.slice(0, start)}true${condition.slice(end)}`,
        })
      }
    }
  }
  return looser
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

/** Each refusal inside a function, one at a time, says nothing. What is asked twice, before and after a lock, goes at once. */
export async function refusalMutants(client: pg.Client): Promise<Mutant[]> {
  const routines = await routinesOf(client)
  return routines.flatMap((routine) => {
    const body = bodyOf(routine)
    const calls = body.matchAll(
      /perform private\.(?:refuse|refuse_for|require_\w+)\((?:[^()]|\([^()]*(?:\([^()]*\))*[^()]*\))*\)[^;]*;/g,
    )
    return [...new Set([...calls].map(([call]) => call))].map((call) =>
      change(routine, `${routine.signature} without ${call.replace(/\s+/g, ' ')}`, body.replaceAll(call, 'null;')),
    )
  })
}

/** Each trigger sleeps. */
export async function triggerMutants(client: pg.Client): Promise<Mutant[]> {
  const { rows } = await client.query<{ of: string; trigger: string; word: string }>(
    `select tgrelid::regclass::text as of, quote_ident(tgname) as trigger, relname as word
     from pg_trigger
     join pg_class on pg_class.oid = tgrelid
     where tgfoid in (select oid from pg_proc where pronamespace = 'private'::regnamespace) and tgparentid = 0
     order by 1, 2`,
  )
  return rows.map(({ of, trigger, word }) => ({
    name: `${of} without the trigger ${trigger}`,
    apply: `alter table ${of} disable trigger ${trigger}`,
    restore: `alter table ${of} enable trigger ${trigger}`,
    of,
    words: [word],
  }))
}

function change(routine: Routine, name: string, body: string): Mutant {
  return {
    name,
    apply: routine.definition.replace(bodyOf(routine), () => body),
    restore: routine.definition,
    of: routine.signature,
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
