-- The data, in both schemas: one huge room of 500 people, one account with 200 rooms of some backlog, and the rest spread
-- over small rooms; a hotel with many past stays. Triggers are off, so that what they keep is made here in one pass.
-- Settings: bench.messages, bench.rooms, bench.past_stays

set session_replication_role = replica;

-- Indexes are made when the rows are there: that is many times as fast.
create table document.put_off as
select format('drop index %s', indexrelid::regclass) as away, pg_get_indexdef(indexrelid) as back
from pg_index
where indrelid = 'public.chat_messages'::regclass
  and not exists (select from pg_constraint where conindid = indexrelid);
do $$
declare statement text;
begin
  for statement in select away from document.put_off loop
    execute statement;
  end loop;
end;
$$;

create function document.id(p_kind text, p_number bigint)
returns uuid
language sql immutable
as $$ select (lpad(to_hex(1700000000000 + p_number), 12, '0') || '7' || substr(md5(p_kind || p_number), 14))::uuid $$;

insert into auth.users (id, aud, role, email, instance_id)
select document.id('user', n), 'authenticated', 'authenticated', 'u' || n || '@bench.example', '00000000-0000-0000-0000-000000000000'
from generate_series(1, 2000) as n;
insert into public.profiles (id, username, first_name, last_name, email)
select document.id('user', n), 'user' || n, 'First' || n, 'Last' || n, 'u' || n || '@bench.example'
from generate_series(1, 2000) as n;

-- Room 0 is the huge one; 1 to 200 have user 1 in them; the others two people each.
insert into public.chat_rooms (id, type, title)
select document.id('room', n), 'group', 'Room ' || n from generate_series(0, current_setting('bench.rooms')::int) as n;
insert into public.chat_room_members (room_id, user_id, has_written)
select document.id('room', 0), document.id('user', n), true from generate_series(1, 500) as n
union all
select document.id('room', n), document.id('user', member), true
from generate_series(1, current_setting('bench.rooms')::int) as n,
  unnest(case when n <= 200 then array[1, 2 + n % 400, 500 + n % 400] else array[2 + n % 1900, 3 + (n * 7) % 1900] end) as member
on conflict do nothing;

insert into public.chat_messages (id, room_id, seq, sender_id, sender_seq, content, created_at, is_deleted, deleted_at)
select
  document.id('message', n),
  room_id,
  row_number() over (partition by room_id order by n),
  sender_id,
  row_number() over (partition by room_id, sender_id order by n),
  content,
  now() - interval '300 days' + n * interval '5 seconds',
  n % 50 = 0,
  case when n % 50 = 0 then now() end
from (
  -- A third each: in the huge room, in the 200 rooms of user 1, and in all others.
  select
    n,
    document.id(
      'room',
      case n % 3 when 0 then 0 when 1 then 1 + (n / 3) % 200 else 201 + (n * 7919) % (current_setting('bench.rooms')::int - 200) end
    ) as room_id,
    document.id('user', case n % 3 when 0 then 1 + n / 3 % 500 else 2 + n % 1900 end) as sender_id,
    'Message ' || n || ' about ' || (array['breakfast', 'towels', 'the pool', 'checkout', 'a taxi'])[1 + n % 5] || ' ' || md5(n::text) as content
  from generate_series(1, current_setting('bench.messages')::bigint) as n
) as messages;

do $$
declare statement text;
begin
  for statement in select back from document.put_off loop
    execute statement;
  end loop;
end;
$$;

insert into private.uncounted_messages (room_id, sender_id, block_size, block, messages)
select room_id, owner, size, seq / size, count(*)
from public.chat_messages,
  unnest(array[64, 4096, 262144]::bigint[]) as size,
  unnest(array['00000000-0000-0000-0000-000000000000', sender_id]::uuid[]) as owner
where is_deleted
group by 1, 2, 3, 4;

update public.chat_rooms as r
set last_seq = last.seq, last_message_id = last.id, last_message_at = last.created_at, updated_at = last.created_at,
  uncounted_messages = last.uncounted
from (
  select distinct on (room_id) room_id, seq, id, created_at, count(*) filter (where is_deleted) over (partition by room_id) as uncounted
  from public.chat_messages
  order by room_id, seq desc
) as last
where last.room_id = r.id;

-- Everybody has read all but the last few; user 1 is 1,000 behind in the 200 rooms, as far as there is so much.
insert into public.user_chat_preferences (user_id, room_id, last_read_seq)
select m.user_id, r.id, greatest(0, r.last_seq - case when m.user_id = document.id('user', 1) then 1000 else 5 end)
from public.chat_room_members as m
join public.chat_rooms as r on r.id = m.room_id;
update public.user_chat_preferences as p
set last_read_message_id = m.id
from public.chat_messages as m
where m.room_id = p.room_id and m.seq = p.last_read_seq;

insert into public.organizations (id, slug, name) values (document.id('hotel', 1), 'bench-hotel', 'Bench Hotel');
insert into public.organization_members (organization_id, user_id, role)
values (document.id('hotel', 1), document.id('user', 1), 'staff'), (document.id('hotel', 1), document.id('user', 2), 'staff');
insert into public.chat_rooms (id, type, organization_id, room_number, closed_at)
select document.id('stay', n), 'guest', document.id('hotel', 1), (n % 400)::text, now()
from generate_series(1, current_setting('bench.past_stays')::int) as n;

-- The same, as the document keeps it.
insert into document.chat_rooms (id, type, title, members, last_message_id, updated_at)
select r.id, r.type, r.title, array(select user_id from public.chat_room_members where room_id = r.id), r.last_message_id, r.updated_at
from public.chat_rooms as r
where r.type <> 'guest';
insert into document.chat_messages (id, room_id, sender_id, content, is_deleted, created_at)
select id, room_id, sender_id, content, is_deleted, created_at from public.chat_messages;
insert into document.user_chat_preferences (user_id, room_id, last_read_message_id)
select user_id, room_id, last_read_message_id from public.user_chat_preferences;

create index idx_messages_room_created on document.chat_messages (room_id, created_at desc);
create index idx_messages_sender on document.chat_messages (sender_id);
create index idx_messages_deleted on document.chat_messages (room_id) where is_deleted = false;
create index idx_user_prefs_lookup on document.user_chat_preferences (user_id, room_id);

set session_replication_role = origin;
update private.limits set value = 1000000000 where name = 'messages_per_minute';
