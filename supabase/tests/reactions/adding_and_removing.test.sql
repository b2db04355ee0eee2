begin;
select plan(27);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('attic', members => array['ana', 'ben']);
insert into public.chat_messages (room_id, sender_id, content)
values (tests.room_id('lounge'), tests.user_id('ana'), 'hello');
insert into public.chat_messages (room_id, sender_id, content)
values (tests.room_id('attic'), tests.user_id('ana'), 'dust');
create temporary table hello as select id from public.chat_messages where content = 'hello';
create temporary table dust as select id from public.chat_messages where content = 'dust';
grant select on hello, dust to authenticated;

create function pg_temp.shape(p_emoji text, variadic p_names text[]) returns jsonb language sql as $$
  select jsonb_build_object(
    'emoji', p_emoji, 'count', cardinality(p_names),
    'user_ids', (select jsonb_agg(tests.user_id(name) order by place) from unnest(p_names) with ordinality as people (name, place))
  )
$$;
grant execute on function pg_temp.shape(text, text[]) to authenticated;

select tests.sign_in('ben');
select is(
  public.add_reaction((select id from hello), '👍'),
  jsonb_build_object('message_id', (select id from hello), 'reactions', jsonb_build_array(pg_temp.shape('👍', 'ben'))),
  'staff.react: a member puts an emoji on a message'
);
select is(
  public.add_reaction((select id from hello), '👍') -> 'reactions',
  jsonb_build_array(pg_temp.shape('👍', 'ben')), 'again changes nothing'
);
select is(
  public.add_reaction((select id from hello), '🎉') -> 'reactions',
  jsonb_build_array(pg_temp.shape('👍', 'ben'), pg_temp.shape('🎉', 'ben')), 'one person may put several different ones'
);
select tests.sign_in('ana');
insert into public.message_reactions (message_id, emoji) select id, '👍' from hello;
select is(
  private.my_message_json((select id from hello)) -> 'reactions',
  jsonb_build_array(pg_temp.shape('👍', 'ben', 'ana'), pg_temp.shape('🎉', 'ben')),
  'a plain insert does the same; the order is that of the first use'
);
select lives_ok($$ insert into public.message_reactions (message_id, emoji) select id, '👍' from hello $$, 'also twice');
select is(
  public.get_messages(tests.room_id('lounge'))::jsonb -> 0, private.my_message_json((select id from hello)),
  'in a page the message looks the same'
);
select is(
  public.remove_reaction((select id from hello), '👍') -> 'reactions',
  jsonb_build_array(pg_temp.shape('👍', 'ben'), pg_temp.shape('🎉', 'ben')), 'one takes back one''s own'
);
select is(
  public.remove_reaction((select id from hello), '👍') -> 'reactions',
  jsonb_build_array(pg_temp.shape('👍', 'ben'), pg_temp.shape('🎉', 'ben')), 'what is not there is removed without a complaint'
);
select is_empty(
  $$ delete from public.message_reactions where message_id = (select id from hello) returning emoji $$,
  'nobody removes another''s'
);
select tests.sign_in('ben');
select results_eq(
  $$ delete from public.message_reactions where message_id = (select id from hello) and emoji = '🎉' returning emoji $$,
  array['🎉'], 'a plain delete removes one''s own'
);
select throws_ok(
  $$ update public.message_reactions set emoji = '🔥' $$, '42501', null, 'a reaction is not changed into another'
);
select throws_ok(
  $$ insert into public.message_reactions (message_id, emoji, user_id) select id, '🔥', tests.user_id('ana') from hello $$,
  '42501', null, 'nor put in another''s name'
);

select tests.as_owner();
select bag_eq(
  $$ select payload ->> 'action' as action, payload ->> 'emoji' as emoji, payload -> 'user_id' as who, jsonb_array_length(payload -> 'reactions') as emojis
     from realtime.messages where event = 'message-reaction' and topic = (select topic from public.chat_rooms where title = 'lounge') $$,
  $$ values
    ('added', '👍', to_jsonb(tests.user_id('ben')), 1),
    ('added', '🎉', to_jsonb(tests.user_id('ben')), 2),
    ('added', '👍', to_jsonb(tests.user_id('ana')), 2),
    ('removed', '👍', to_jsonb(tests.user_id('ana')), 2),
    ('removed', '🎉', to_jsonb(tests.user_id('ben')), 1) $$,
  'rooms.live: each change is announced once, and nothing that changed nothing'
);
select is(
  (select (m.change_seq, r.last_change_seq)::text from public.chat_messages as m join public.chat_rooms as r on r.id = m.room_id where content = 'hello'),
  '(5,5)', 'each takes the room''s next change'
);

select tests.sign_in('ben');
select tests.refuses(
  $$ insert into public.message_reactions (message_id, emoji) select id, '🔥' from hello union all select id, '🔥' from dust $$,
  'one_room_per_insert', 'one insert reacts in one room'
);
select public.add_reaction((select id from dust), '🔥');
select tests.refuses('delete from public.message_reactions', 'one_room_per_delete', 'one delete reaches into one room');

select tests.sign_in('eve');
select tests.refuses($$ select public.add_reaction((select id from hello), '👍') $$, 'not_a_member', 'a stranger reacts to nothing');
select tests.refuses(
  $$ insert into public.message_reactions (message_id, emoji) select id, '👍' from hello $$, 'not_a_member', 'by no plain insert either'
);
select tests.refuses($$ select public.remove_reaction((select id from hello), '👍') $$, 'not_a_member', 'nor removes anything');
select tests.refuses($$ select public.add_reaction(gen_random_uuid(), '👍') $$, 'message_not_found', 'there is no such message');
select is_empty('select from public.message_reactions', 'a stranger sees no reactions');

select tests.sign_in('ana');
select is((select count(*) from public.message_reactions), 2::bigint, 'members see those of their rooms');
select public.delete_message((select id from hello));
select is(private.my_message_json((select id from hello)) -> 'reactions', '[]', 'a deleted message shows none');
select is((select count(*) from public.message_reactions), 1::bigint, 'nor are they in the table');
select tests.refuses($$ select public.add_reaction((select id from hello), '🔥') $$, 'message_deleted', 'nobody reacts to it');
select is(
  public.undo_delete_message((select id from hello)) -> 'reactions', jsonb_build_array(pg_temp.shape('👍', 'ben')),
  'brought back, it has them again'
);

select tests.as_owner();
delete from auth.users where id = tests.user_id('ben');
select is(
  (select count(*) from realtime.messages where payload ->> 'action' = 'removed' and payload -> 'reactions' = '[]'),
  2::bigint, 'an account takes its reactions along, and those who stay are told'
);

select * from finish();
rollback;
