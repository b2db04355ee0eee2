begin;
select plan(9);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
insert into public.chat_messages (room_id, sender_id, content)
values (tests.room_id('lounge'), tests.user_id('ana'), 'hello');
create temporary table hello as select id from public.chat_messages;
grant select on hello to authenticated;

create function pg_temp.look(p_answer jsonb) returns text language sql as $$
  select concat_ws(
    ' ', p_answer ->> 'emoji', p_answer ->> 'reacted', p_answer ->> 'replaced', jsonb_path_query_array(p_answer, '$.reactions[*].emoji')
  )
$$;
grant execute on function pg_temp.look(jsonb) to authenticated;

select tests.sign_in('ben');
select is(
  pg_temp.look(public.toggle_reaction((select id from hello), '👍')), '👍 true false ["👍"]', 'messaging.react: a first one is put'
);
select is(
  pg_temp.look(public.toggle_reaction((select id from hello), '❤️')), '❤️ true true ["❤️"]', 'a different one replaces it'
);
select is(
  pg_temp.look(public.toggle_reaction((select id from hello), '❤️')), '❤️ false false []', 'the same again removes it'
);
select is(
  public.toggle_reaction((select id from hello), '👍') -> 'message_id', to_jsonb((select id from hello)), 'the answer names the message'
);
select tests.sign_in('ana');
select is(
  pg_temp.look(public.toggle_reaction((select id from hello), '🔥')), '🔥 true false ["👍", "🔥"]', 'others'' stay'
);
select tests.refuses($$ select public.toggle_reaction((select id from hello), 'ok') $$, 'not_an_emoji', 'only emojis are put');
select tests.sign_in('eve');
select tests.refuses($$ select public.toggle_reaction((select id from hello), '👍') $$, 'not_a_member', 'by members');

select tests.as_owner();
select bag_eq(
  $$ select payload ->> 'action' as action, payload ->> 'emoji' as emoji from realtime.messages where event = 'message-reaction' $$,
  $$ values ('added', '👍'), ('removed', '👍'), ('added', '❤️'), ('removed', '❤️'), ('added', '👍'), ('added', '🔥') $$,
  'replacing is told as a removal and an addition'
);

select results_eq(
  $$ select distinct payload ->> 'room_id' from realtime.messages where event = 'message-reaction' $$,
  $$ values (tests.room_id('lounge')::text) $$,
  'the event names the room, and the change, so that it is told from what syncing shows'
);

select * from finish();
rollback;
