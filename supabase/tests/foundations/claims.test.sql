-- Helpers are total: a claim that is missing or malformed gives no rows, never an error.
begin;
select plan(55);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id) select id, tests.user_id('ana') from public.organizations;
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('lounge'), tests.user_id('ana'), 'hello');
insert into realtime.messages (topic, extension) values ('probe', 'broadcast');

create temporary table tokens (claims text);
insert into tokens
values
  ('{"role": "authenticated"}'),
  ('{"role": "authenticated", "sub": null}'),
  ('{"role": "authenticated", "sub": ""}'),
  ('{"role": "authenticated", "sub": "not-a-uuid", "is_anonymous": "perhaps"}'),
  ('{"role": "authenticated", "sub": {"id": 1}}'),
  ('{"role": "authenticated", "sub": "\u0000"}'),
  ('[]'),
  ('no JSON'),
  ('');
grant select on tokens to authenticated;
create temporary view visible as
select 'profiles' as what from public.profiles
union all select 'organizations' from public.organizations
union all select 'organization_members' from public.organization_members
union all select 'chat_rooms' from public.chat_rooms
union all select 'chat_room_members' from public.chat_room_members
union all select 'user_chat_preferences' from public.user_chat_preferences
union all select 'chat_messages' from public.chat_messages
union all select 'realtime.messages' from realtime.messages;
alter view visible set (security_invoker = true);
grant select on visible to authenticated;

select tests.sign_in('ana');
select is(private.my_id(), tests.user_id('ana'), 'the caller is who the token says');
select set_config('realtime.topic', 'room:' || tests.room_id('lounge'), true);
select is((select count(distinct what) from visible), 8::bigint, 'and has something of everything');

select collect_tap(
  is(private.my_id(), null, claims || ': is nobody'),
  is_empty('select what from visible', claims || ': no rows'),
  tests.refuses($$ select public.get_messages(tests.room_id('lounge')) $$, 'not_signed_in', claims || ': reads nothing by the function'),
  tests.refuses($$ select public.start_direct_chat(tests.user_id('ana')) $$, 'not_signed_in', claims || ': starts no chat'),
  throws_ok(
    $$ insert into public.chat_messages (room_id, content) values (tests.room_id('lounge'), 'from nobody') $$,
    '42501', null, claims || ': writes nothing'
  )
)
from tokens, tests.present(claims);

select tests.as_owner();
select is((select count(*) from public.chat_messages), 1::bigint, 'and nothing was written');

select lives_ok(
  $$ select public.start_direct_chat(tests.user_id('ben')) $$, format('is_anonymous %s is not true', wrong)
)
from
  unnest(array['"perhaps"', '[]', 'null', '1', '"true"', '{}']::jsonb[]) as wrong,
  tests.present(jsonb_build_object('role', 'authenticated', 'sub', tests.user_id('ana'), 'is_anonymous', wrong)::text);
select tests.present(jsonb_build_object('role', 'authenticated', 'sub', tests.user_id('ana'), 'is_anonymous', true)::text);
select tests.refuses($$ select public.start_direct_chat(tests.user_id('ben')) $$, 'anonymous_not_allowed', 'true is');

select * from finish();
rollback;
