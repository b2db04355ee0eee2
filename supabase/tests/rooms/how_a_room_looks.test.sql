begin;
select plan(14);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_user('guest' || n) from generate_series(1, 23) as n;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('hall', members => array(select username from public.profiles where username <> 'eve' order by username desc));

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), content) from unnest(array['hello', 'bye']) as content;
select is(
  (select array[last_message_id::text, last_message_at::text] from public.chat_rooms where title = 'lounge'),
  (select array[id::text, created_at::text] from public.chat_messages where content = 'bye'),
  'the room knows its newest message, and when it came'
);

select tests.sign_in('ben');
create temporary table looks as
select title, private.room_json(id) as room from public.chat_rooms;
grant select on looks to authenticated;

select is(room ->> 'name', 'lounge', 'a room with a title is named so') from looks where title = 'lounge';
select is(room #>> '{last_message,content}', 'bye', 'with its newest message') from looks where title = 'lounge';
select is(room #>> '{last_message,sender,username}', 'ana', 'and who wrote it') from looks where title = 'lounge';
select is(room -> 'unread_count', '2', 'what others wrote is unread') from looks where title = 'lounge';
select is(room -> 'last_message', 'null', 'a new room has none') from looks where title = 'hall';
select is(
  array(select p ->> 'username' from jsonb_array_elements(room -> 'participants') as p), array['ben', 'ana'], 'me first'
) from looks where title = 'lounge';
select is(jsonb_array_length(room -> 'participants'), 20, 'the first 20 are shown') from looks where title = 'hall';
select is(room #>> '{participants,0,username}', 'ben', 'I among them') from looks where title = 'hall';
select is(room -> 'member_count', '25', 'and all are counted') from looks where title = 'hall';
select is(room #>> '{participants,0,role}', 'member', 'each with a role') from looks where title = 'hall';
select set_eq(
  $$ select jsonb_object_keys(room) from looks $$,
  array[
    'id', 'type', 'title', 'name', 'description', 'avatar_url', 'organization_id', 'related_product', 'room_number',
    'created_by', 'created_at', 'updated_at', 'last_seq', 'last_message', 'participants', 'member_count', 'topic',
    'unread_count', 'is_archived', 'archived_at', 'is_muted', 'muted_until', 'last_read_message_id', 'last_read_seq'
  ],
  'a room has the contract''s shape'
);

select tests.sign_in('eve');
select tests.refuses($$ select private.room_json(tests.room_id('lounge')) $$, 'not_a_member', 'a stranger is shown none');
select tests.refuses($$ select private.room_json(gen_random_uuid()) $$, 'room_not_found', 'there is no such room');

select * from finish();
rollback;
