begin;
select plan(36);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_key('ben', 'key');
select tests.create_room(title, members => array['ana', 'ben']) from unnest(array['lounge', 'bar', 'pool']) as title;
select tests.create_room('private', members => array['ben', 'eve']);
select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'the menu', 'document', p_metadata => '{"page": 1}');
select public.send_message(tests.room_id('lounge'), 'an answer', p_reply_to_id => (select id from public.chat_messages));
select public.send_message(tests.room_id('lounge'), p_encrypted_content => tests.envelope('secret'), p_encryption_key_id => 'key');
select public.send_message(tests.room_id('lounge'), 'gone');
select public.send_message(tests.room_id('private'), 'not for ana');
select public.delete_message((select id from public.chat_messages where content = 'gone'));
select tests.as_owner();
insert into public.chat_messages (room_id, message_type, content) values (tests.room_id('lounge'), 'system', 'Ben came');
create temporary table named as select coalesce(content, 'encrypted') as name, id from public.chat_messages;
grant select on named to authenticated;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from named where name = p_name $$;
create function pg_temp.heard() returns bigint language sql security definer as $$ select count(*) from realtime.messages $$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
create temporary table heard as select pg_temp.heard() as events;
create temporary table copies as
select position, m
from jsonb_array_elements(
  public.forward_message(pg_temp.id('the menu'), array[tests.room_id('pool'), tests.room_id('bar')])
) with ordinality as t (m, position);
grant select on copies to authenticated;

select results_eq(
  $$ select (m ->> 'room_id')::uuid from copies order by position $$,
  $$ values (tests.room_id('pool')), (tests.room_id('bar')) $$,
  'mobile.forward: a message in each chat, in the order asked'
);
select is(m ->> 'content', 'the menu', 'its text is copied') from copies;
select is(m ->> 'message_type', 'document', 'and its type') from copies;
select is(m -> 'metadata', '{"page": 1}', 'and its metadata') from copies;
select is(m ->> 'sender_id', tests.user_id('ana')::text, 'it is mine') from copies;
select is(m ->> 'forwarded_from', pg_temp.id('the menu')::text, 'it says where it came from') from copies;
select is(m -> 'seq', '1', 'and has its number in its room') from copies;
select results_eq(
  $$ select forwarded_count, change_seq, is_edited from public.chat_messages where id = pg_temp.id('the menu') $$,
  $$ values (2::bigint, 2::bigint, false) $$, 'the original counts its copies, a change for whoever syncs'
);
select is(pg_temp.heard() - (select events from heard), 2::bigint, 'live in each chat, and nowhere else');
select is(
  (select m -> 'reply_to' from jsonb_array_elements(
    public.forward_message(pg_temp.id('an answer'), array[tests.room_id('lounge'), tests.room_id('lounge')])
  ) as m),
  'null', 'into the same chat as well, once, and without what it answered'
);

select tests.sign_in('ben');
select public.delete_message(pg_temp.id('the menu'));
select tests.sign_in('ana');
select is(
  (select content from public.chat_messages where id = (select (m ->> 'id')::uuid from copies where position = 1)),
  'the menu', 'a copy keeps its text when the original is deleted'
);

select tests.refuses(
  format('select public.forward_message(pg_temp.id(%L), array[tests.room_id(%L)])', name, 'bar'), code,
  format('not forwarded: %s', code)
)
from (
  values
    ('the menu', 'message_deleted'),
    ('encrypted', 'encrypted_message'),
    ('Ben came', 'system_message'),
    ('not for ana', 'not_a_member'),
    ('never written', 'message_not_found')
) as t (name, code);
select tests.refuses(
  format('select public.forward_message(pg_temp.id(%L), %s)', 'an answer', rooms), code, format('not there: %s', rooms)
)
from (
  values
    ('array[tests.room_id(''private'')]', 'not_a_member'),
    ('array[tests.room_id(''bar''), tests.room_id(''private'')]', 'not_a_member'),
    ('array[tests.room_id(''bar''), gen_random_uuid()]', 'room_not_found'),
    ('array[tests.room_id(''bar''), null]', 'room_not_found'),
    ('''{}''', 'room_count_out_of_range'),
    ('null', 'room_count_out_of_range'),
    ('array(select gen_random_uuid() from generate_series(1, 11))', 'room_count_out_of_range')
) as t (rooms, code);
select tests.refuses(
  $$ select public.forward_message(pg_temp.id('the menu'), array[tests.room_id('private')]) $$,
  'not_a_member', 'where one is not a member, nothing else is said'
);
select is(
  (select count(*) from public.chat_messages where room_id = tests.room_id('bar')), 1::bigint, 'of what is refused nothing is written'
);

-- A block.
select tests.sign_in('ana');
select public.start_direct_chat(tests.user_id('ben'));
select tests.as_owner();
create temporary table direct as select id from public.chat_rooms where type = 'direct';
grant select on direct to authenticated;
select tests.sign_in('ana');
select lives_ok(
  $$ select public.forward_message(pg_temp.id('an answer'), array(select id from direct)) $$, 'into a direct chat'
);
select tests.as_owner();
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('ben'), tests.user_id('ana'));
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.forward_message(pg_temp.id('an answer'), array(select id from direct) || tests.room_id('bar')) $$,
  'blocked', 'not into one with somebody who blocks me, nor elsewhere with it'
);
select tests.as_owner();
update private.rate_buckets set tokens = 1, filled_at = clock_timestamp() where user_id = tests.user_id('ana');
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.forward_message(pg_temp.id('an answer'), array[tests.room_id('bar'), tests.room_id('pool')]) $$,
  'too_many_requests', 'each copy is a send'
);
select lives_ok(
  $$ select public.forward_message(pg_temp.id('an answer'), array[tests.room_id('bar')]) $$, 'for which the last token is enough'
);
select tests.sign_out();
select throws_ok($$ select public.forward_message(gen_random_uuid(), '{}') $$, '42501', null, 'nobody signed in forwards');

select * from finish();
rollback;
