begin;
select plan(14);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve', 'fay']) as name;
select tests.create_user('ghost', p_is_anonymous => true);
create temporary table chats (who text, room jsonb);
grant all on chats to authenticated;
create function pg_temp.hidden(p_name text) returns boolean language sql as $$
  select is_deleted from public.user_chat_preferences where user_id = tests.user_id(p_name)
  and room_id = (select (room ->> 'id')::uuid from chats where who = 'ben')
$$;

select tests.sign_in('ana');
insert into chats values ('ben', public.start_direct_chat(tests.user_id('ben'), p_content => 'hello'));

-- Both delete it for themselves.
select tests.as_owner();
update public.user_chat_preferences set is_deleted = true, deleted_at = now(), cleared_seq = 1;
select tests.sign_in('ana');
insert into chats values ('again', public.start_direct_chat(tests.user_id('ben')));
select is(
  (select room ->> 'id' from chats where who = 'again'), (select room ->> 'id' from chats where who = 'ben'),
  'a deleted chat started again is the same one'
);
select is((select room -> 'last_message' from chats where who = 'again'), 'null', 'what was cleared stays cleared');
select tests.as_owner();
select is(pg_temp.hidden('ana'), false, 'who starts it is shown it again');
select is(pg_temp.hidden('ben'), true, 'the other is not');

insert into public.user_blocks (blocker_id, blocked_id)
values (tests.user_id('ben'), tests.user_id('ana')), (tests.user_id('col'), tests.user_id('ana'));
select tests.sign_in('ana');
select tests.refuses($$ select public.start_direct_chat(tests.user_id('col')) $$, 'blocked', 'a block stops new direct chats');
select is(
  public.start_direct_chat(tests.user_id('ben')) ->> 'id', (select room ->> 'id' from chats where who = 'ben'),
  'an existing one can still be read'
);
select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('ben'), p_content => 'listen') $$, 'blocked', 'not written in'
);
select tests.sign_in('col');
select tests.refuses($$ select public.start_direct_chat(tests.user_id('ana')) $$, 'blocked', 'both sides alike');
select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('ghost')) $$, 'user_not_found', 'a guest without an account is nobody to know'
);

select tests.as_owner();
update private.limits set value = 2 where name = 'direct_rooms_per_hour';
select tests.sign_in('dan');
select lives_ok($$ select public.start_direct_chat(tests.user_id('ana')) $$, 'a first new chat');
select lives_ok($$ select public.start_direct_chat(tests.user_id('ana')) from generate_series(1, 5) $$, 'an old one costs nothing');
select lives_ok($$ select public.start_direct_chat(tests.user_id('col')) $$, 'a second');
select tests.refuses($$ select public.start_direct_chat(tests.user_id('eve')) $$, 'too_many_requests', 'not endless new ones');
select lives_ok($$ select public.start_direct_chat(tests.user_id('col')) $$, 'the old ones are found still');

select * from finish();
rollback;
