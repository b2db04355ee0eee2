-- Archiving and muting are one's own affair.
begin;
select plan(15);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

create function pg_temp.told() returns table (topic text, event text, payload jsonb) language sql security definer as $$
  with gone as (delete from realtime.messages returning *) select topic, event, payload - 'id' from gone
$$;
grant execute on function pg_temp.told() to authenticated;

select tests.sign_in('ana');
select is(
  public.archive_chat(tests.room_id('lounge')),
  jsonb_build_object('room_id', tests.room_id('lounge'), 'is_archived', true, 'archived_at', now()),
  'mobile.archive: a chat is archived, and it is told since when'
);
select results_eq(
  'select * from pg_temp.told()',
  $$ values (
    'user:' || tests.user_id('ana'),
    'room-archived',
    jsonb_build_object('room_id', tests.room_id('lounge'), 'is_archived', true, 'archived_at', now())
  ) $$,
  'one''s own devices hear of it, nobody else'
);
select public.archive_chat(tests.room_id('lounge'));
select is_empty('select * from pg_temp.told()', 'archived again, nothing is told');
select is((public.archive_chat(tests.room_id('lounge'), false) ->> 'is_archived'), 'false', 'it is taken back');
select isnt_empty('select * from pg_temp.told()', 'which is told too');

select is(
  public.mute_chat(tests.room_id('lounge'), '2100-01-01 00:00+00'),
  jsonb_build_object('room_id', tests.room_id('lounge'), 'is_muted', true, 'muted_until', '2100-01-01 00:00+00'::timestamptz),
  'staff.unread: a chat is muted until a time'
);
select is(
  public.mute_chat(tests.room_id('lounge')),
  jsonb_build_object('room_id', tests.room_id('lounge'), 'is_muted', true, 'muted_until', null),
  'or for good'
);
select tests.refuses(
  $$ select public.mute_chat(tests.room_id('lounge'), now() - interval '1 second') $$, 'mute_in_the_past', 'not until a time gone by'
);
select results_eq(
  $$ select is_muted, muted_until from public.user_chat_preferences $$, $$ values (true, null::timestamptz) $$, 'it is kept'
);
select is(
  public.mute_chat(tests.room_id('lounge'), '2100-01-01 00:00+00', false),
  jsonb_build_object('room_id', tests.room_id('lounge'), 'is_muted', false, 'muted_until', null),
  'and heard again'
);

select tests.sign_in('ben');
select results_eq(
  $$ select is_archived, is_muted from public.user_chat_preferences $$, $$ values (false, false) $$, 'nobody else''s is changed'
);

select tests.sign_in('eve');
select tests.refuses($$ select public.archive_chat(tests.room_id('lounge')) $$, 'not_a_member', 'a stranger archives nothing');
select tests.refuses($$ select public.mute_chat(tests.room_id('lounge')) $$, 'not_a_member', 'nor mutes');
select tests.refuses($$ select public.archive_chat(gen_random_uuid()) $$, 'room_not_found', 'what is not there is not found');
select tests.refuses($$ select public.mute_chat(gen_random_uuid()) $$, 'room_not_found', 'by neither');

select * from finish();
rollback;
