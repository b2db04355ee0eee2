-- Clearing hides what was written: from oneself, or from everyone.
begin;
select plan(36);

select tests.create_user(name) from unnest(array['ana', 'ben', 'cleo', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'cleo']);
update public.chat_room_members set role = 'admin' where user_id = tests.user_id('ana');
update public.chat_rooms set created_by = tests.user_id('cleo');

create function pg_temp.write(p_name text, p_count int) returns void language sql as $$
  insert into public.chat_messages (room_id, sender_id, content)
  select tests.room_id('lounge'), tests.user_id(p_name), n from generate_series(1, p_count) as n
$$;
create function pg_temp.told() returns table (topic text, event text, payload jsonb) language sql security definer as $$
  with gone as (delete from realtime.messages where event <> 'new-message' returning *)
  select topic, event, payload - 'id' from gone order by event
$$;
create function pg_temp.room() returns public.chat_rooms language sql security definer as $$
  select * from public.chat_rooms where title = 'lounge'
$$;
grant execute on function pg_temp.told(), pg_temp.room() to authenticated;

select pg_temp.write('ana', 3);
select tests.sign_in('ben');
select public.mark_unread(tests.room_id('lounge'));
select pg_temp.told();
select is(
  public.clear_chat(tests.room_id('lounge')) - 'cleared_at',
  jsonb_build_object('room_id', tests.room_id('lounge'), 'for_everyone', false),
  'mobile.clear: a chat is cleared'
);
select is(jsonb_array_length(public.get_messages(tests.room_id('lounge'))::jsonb), 0, 'the messages are gone for me');
select is_empty('select * from public.chat_messages', 'in the table too');
select is(public.calculate_unread_count(tests.user_id('ben'), tests.room_id('lounge')), 0, 'none is unread, nor the mark set by hand');
select results_eq(
  'select topic, event, payload from pg_temp.told()',
  $$ values (
    'user:' || tests.user_id('ben'),
    'unread-count-update',
    jsonb_build_object('room_id', tests.room_id('lounge'), 'unread_count', 0, 'total_unread', 0)
  ) $$,
  'my devices hear the new count'
);
select results_eq(
  'select cleared_seq, cleared_change_seq, messages_cleared_at is not null from public.user_chat_preferences',
  $$ values (3::bigint, (pg_temp.room()).last_change_seq, true) $$,
  'the clearing is a change, with a number of its own: other devices find it when they sync'
);
select is((pg_temp.room()).last_change_seq, 2::bigint, 'the next one of this room');
select public.clear_chat(tests.room_id('lounge'));
select is((pg_temp.room()).last_change_seq, 2::bigint, 'clearing what is clear changes nothing');
select is_empty('select * from pg_temp.told()', 'and is not told');
select is_empty($$ select * from public.message_reads $$, 'who clears has not read');

select tests.sign_in('ana');
select is(jsonb_array_length(public.get_messages(tests.room_id('lounge'))::jsonb), 3, 'others keep them');
select tests.as_owner();
select pg_temp.write('ana', 1);
select tests.sign_in('ben');
select is(jsonb_array_length(public.get_messages(tests.room_id('lounge'))::jsonb), 1, 'what is written later is there');

select tests.refuses(
  $$ select public.clear_chat(tests.room_id('lounge'), true) $$, 'not_an_admin', 'a plain member clears for nobody else'
);
select tests.sign_in('eve');
select tests.refuses($$ select public.clear_chat(tests.room_id('lounge')) $$, 'not_a_member', 'a stranger clears nothing');
select tests.refuses($$ select public.clear_chat(tests.room_id('lounge'), true) $$, 'not_a_member', 'neither for others');
select tests.refuses($$ select public.clear_chat(gen_random_uuid()) $$, 'room_not_found', 'nothing is cleared where nothing is');

select tests.as_owner();
-- One deleted above, one below: the sums keep the right one.
update public.chat_messages set is_deleted = true, deleted_at = now() where seq in (2, 4);
select tests.sign_in('ben');
select public.mark_unread(tests.room_id('lounge'));
select tests.sign_in('ana');
select pg_temp.told();
select is(
  public.clear_chat(tests.room_id('lounge'), true) - 'cleared_at',
  jsonb_build_object('room_id', tests.room_id('lounge'), 'for_everyone', true),
  'an admin clears for everyone'
);
select results_eq(
  'select topic, event, payload - $$cleared_at$$ from pg_temp.told()',
  $$ values
    (
      'room:' || tests.room_id('lounge'),
      'room-messages-cleared',
      jsonb_build_object('room_id', tests.room_id('lounge'), 'cleared_by', tests.user_id('ana'))
    ),
    (
      'user:' || tests.user_id('ana'),
      'unread-count-update',
      jsonb_build_object('room_id', tests.room_id('lounge'), 'unread_count', 0, 'total_unread', 0)
    ) $$,
  'the room hears of it'
);
select results_eq(
  $$ select (pg_temp.room()).floor_seq, (pg_temp.room()).last_message_id, (pg_temp.room()).floor_change_seq = (pg_temp.room()).last_change_seq $$,
  $$ values (4::bigint, null::uuid, true) $$,
  'the room has no last message, and those who sync find the change'
);
select is(private.room_json(tests.room_id('lounge')) -> 'last_message', 'null'::jsonb, 'nor is one shown');
select public.clear_chat(tests.room_id('lounge'), true);
select is_empty('select * from pg_temp.told()', 'clearing again is not told');
select tests.sign_in('cleo');
select is(jsonb_array_length(public.get_messages(tests.room_id('lounge'))::jsonb), 0, 'they are gone for everyone');
select is_empty('select * from public.chat_messages', 'in the table too');
select tests.sign_in('ben');
select is(public.calculate_unread_count(tests.user_id('ben'), tests.room_id('lounge')), 0, 'unread for nobody, nor by hand');

select tests.as_owner();
select pg_temp.write('ana', 1);
select is(private.remove_cleared_messages(3), 3, 'a job removes the rows, so many at a time');
select is(private.remove_cleared_messages(3), 1, 'until all are gone');
select is(private.remove_cleared_messages(3), 0, 'and then none');
select results_eq('select seq from public.chat_messages', 'values (5::bigint)', 'not what was written since');
select is((pg_temp.room()).uncounted_messages, 0::bigint, 'with them goes what does not count');
select is((select coalesce(sum(messages), 0) from private.uncounted_messages), 0::numeric, 'in the sums as well');
select is(
  (select unread_count from private.unread_counts(tests.user_id('ben'), array[tests.room_id('lounge')])), 1, 'and the count is right'
);

select tests.sign_in('cleo');
select lives_ok($$ select public.clear_chat(tests.room_id('lounge'), true) $$, 'who made the room clears it too');

-- In a direct chat: who began it alone.
select tests.as_owner();
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id, role)
select id, tests.user_id(person), role::public.organization_role
from public.organizations, (values ('ben', 'staff'), ('eve', 'admin')) as staff (person, role);
create temporary table direct (id uuid);
grant select, insert on direct to authenticated;
select tests.sign_in('ben');
insert into direct
select (public.start_direct_chat(tests.user_id('eve'), (select id from public.organizations), p_content => 'hello') ->> 'id')::uuid;
select tests.sign_in('eve');
select tests.refuses(
  $$ select public.clear_chat((select id from direct), true) $$, 'not_an_admin',
  'a direct chat is not cleared for the other by who did not begin it, not even by an admin of the hotel'
);
select lives_ok($$ select public.clear_chat((select id from direct)) $$, 'for oneself it is');
select tests.sign_in('ben');
select is(jsonb_array_length(public.get_messages((select id from direct))::jsonb), 1, 'and nothing else');
select lives_ok($$ select public.clear_chat((select id from direct), true) $$, 'who began it clears it for both');

select * from finish();
rollback;
