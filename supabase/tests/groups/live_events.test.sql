begin;
select plan(13);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col']) as name;
-- What was told since the last look.
create table pg_temp.told as select id from realtime.messages;
create function pg_temp.events() returns table (event text, topic text, payload jsonb) language plpgsql security definer as $$
begin
  return query
  select m.event, coalesce('user:' || p.username, replace(m.topic, coalesce(tests.room_id('lounge')::text, 'no room'), 'lounge')), m.payload
  from realtime.messages as m
  left join public.profiles as p on m.topic = 'user:' || p.id
  where m.id not in (select id from pg_temp.told)
  order by m.event, 2;
  insert into pg_temp.told select id from realtime.messages where id not in (select id from pg_temp.told);
end;
$$;
create function pg_temp.topics() returns setof text language sql as $$ select event || ' ' || topic from pg_temp.events() $$;

select tests.sign_in('ana');
select public.create_group_chat('lounge', array[tests.user_id('ben')]);
select tests.as_owner();
create temporary table created as select * from pg_temp.events();
select results_eq(
  $$ select event || ' ' || topic from created $$,
  array['room-created room:lounge', 'room-created user:ana', 'room-created user:ben'],
  'a new group is told to each of its members'
);
select is(payload #>> '{room,title}', 'lounge', 'with the room') from created where topic = 'user:ben';
select ok(not payload -> 'room' ? 'unread_count', 'without what differs from one to the other') from created where topic = 'user:ben';

select tests.sign_in('ana');
select public.add_room_members(tests.room_id('lounge'), array[tests.user_id('ben'), tests.user_id('col')]);
select tests.as_owner();
create temporary table joined as select * from pg_temp.events();
select results_eq(
  $$ select event || ' ' || topic from joined $$, array['member-joined room:lounge', 'member-joined user:col'],
  'who joins is told to the room, and to oneself'
);
select results_eq(
  $$ select payload ->> 'user_id', payload ->> 'role', payload #>> '{user,username}', payload #>> '{user,email}' from joined limit 1 $$,
  $$ values (tests.user_id('col')::text, 'member', 'col', null) $$, 'with the member, and no address'
);

select tests.sign_in('ana');
select public.set_member_role(tests.room_id('lounge'), tests.user_id('ben'), 'admin');
select public.set_member_role(tests.room_id('lounge'), tests.user_id('ben'), 'admin');
select tests.as_owner();
select results_eq(
  'select * from pg_temp.topics()', array['member-updated room:lounge', 'member-updated user:ben'], 'a new role, once'
);

select tests.sign_in('ana');
update public.chat_rooms set description = 'For talks' where title = 'lounge';
update public.chat_rooms set description = 'For talks' where title = 'lounge';
select tests.as_owner();
create temporary table updated as select * from pg_temp.events();
select results_eq($$ select event || ' ' || topic from updated $$, array['room-updated room:lounge'], 'a changed room, once');
select is(payload #>> '{room,description}', 'For talks', 'as it is now') from updated;

select tests.sign_in('ben');
select public.send_message(tests.room_id('lounge'), 'hello');
select tests.as_owner();
select results_eq('select * from pg_temp.topics()', array['new-message room:lounge'], 'a message changes no room');

select tests.sign_in('col');
select public.remove_room_member(tests.room_id('lounge'), tests.user_id('col'));
select tests.as_owner();
select results_eq(
  'select * from pg_temp.topics()', array['member-left room:lounge:1', 'member-left user:col'],
  'who leaves is told on the new topic, and to oneself'
);
select tests.sign_in('ben');
select public.remove_room_member(tests.room_id('lounge'), tests.user_id('ben'));
select tests.as_owner();
select results_eq(
  'select * from pg_temp.topics()', array['member-left room:lounge:2', 'member-left user:ben'], 'an owner stays: no new role'
);

select tests.sign_in('ana');
select public.remove_room_member(tests.room_id('lounge'), tests.user_id('ana'));
select tests.as_owner();
select results_eq(
  $$ select event || ' ' || topic from pg_temp.events() where topic = 'user:ana' $$, array['member-left user:ana'], 'the last one out too'
);

select tests.sign_in('ana');
select public.start_direct_chat(tests.user_id('ben'));
select public.start_direct_chat(tests.user_id('ben'));
select tests.as_owner();
select results_eq(
  $$ select event || ' ' || topic from pg_temp.events() where topic like 'user:%' $$,
  array['room-created user:ana', 'room-created user:ben'], 'a new direct chat is told to both, once'
);

select * from finish();
rollback;
