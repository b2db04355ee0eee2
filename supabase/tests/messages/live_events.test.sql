begin;
select plan(23);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

create function pg_temp.events() returns table (topic text, event text, payload jsonb) language sql security definer as $$
  select topic, event, payload from realtime.messages order by inserted_at
$$;

-- As Realtime asks: may this person read, or write, on this topic?
create function pg_temp.may_read(p_topic text) returns boolean language plpgsql as $$
begin
  perform set_config('realtime.topic', p_topic, true);
  return exists (select from realtime.messages where topic = 'probe');
end;
$$;
create function pg_temp.may_write(p_topic text, p_extension text) returns boolean language plpgsql as $$
begin
  perform set_config('realtime.topic', p_topic, true);
  begin
    insert into realtime.messages (topic, extension) values (p_topic, p_extension);
  exception when insufficient_privilege then
    return false;
  end;
  return true;
end;
$$;
create function pg_temp.topic(p_title text) returns text language sql security definer as $$
  select topic from public.chat_rooms where title = p_title
$$;
grant execute on function pg_temp.may_read(text), pg_temp.may_write(text, text), pg_temp.topic(text) to authenticated;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'hello');
select tests.as_owner();
select results_eq(
  $$ select topic, event, payload #>> '{message,content}' from pg_temp.events() $$,
  $$ values (pg_temp.topic('lounge'), 'new-message', 'hello') $$,
  'rooms.live: a message is announced once, on its room''s topic'
);
select is(
  (select payload -> 'room_id' from pg_temp.events()), to_jsonb(tests.room_id('lounge')), 'the event names the room'
);

select tests.sign_in('ana');
insert into public.chat_messages (room_id, content) values (tests.room_id('lounge'), 'plain');
select tests.as_owner();
select is((select count(*) from pg_temp.events()), 2::bigint, 'a plain insert is announced too');

savepoint before_rollback;
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'never said');
rollback to before_rollback;
select is((select count(*) from pg_temp.events()), 2::bigint, 'what is rolled back is not');

insert into realtime.messages (topic, extension) values ('probe', 'broadcast');

select tests.sign_in('ana');
select ok(pg_temp.may_read(pg_temp.topic('lounge')), 'a member hears her room');
select ok(pg_temp.may_read(pg_temp.topic('lounge') || ':typing'), 'and who types there');
select ok(pg_temp.may_read('user:' || tests.user_id('ana')), 'and what concerns herself');
select ok(not pg_temp.may_read('user:' || tests.user_id('ben')), 'not what concerns others');
select ok(pg_temp.may_write(pg_temp.topic('lounge'), 'presence'), 'a member shows her presence');
select ok(not pg_temp.may_write(pg_temp.topic('lounge'), 'broadcast'), 'but broadcasts nothing there: no forged messages');
select ok(pg_temp.may_write(pg_temp.topic('lounge') || ':typing', 'broadcast'), 'typing has its own topic');
select ok(not pg_temp.may_write(pg_temp.topic('lounge') || ':typing', 'presence'), 'where nobody shows presence');
select ok(not pg_temp.may_write('user:' || tests.user_id('ana'), 'broadcast'), 'nobody broadcasts to a person, not even to herself');

select tests.sign_in('eve');
select ok(not pg_temp.may_read(pg_temp.topic('lounge')), 'a stranger hears nothing');
select ok(not pg_temp.may_read(pg_temp.topic('lounge') || ':typing'), 'nor who types');
select ok(not pg_temp.may_write(pg_temp.topic('lounge'), 'presence'), 'nor shows herself');
select ok(not pg_temp.may_write(pg_temp.topic('lounge') || ':typing', 'broadcast'), 'nor types');
select ok(not pg_temp.may_read('room:no-uuid'), 'a malformed topic is nobody''s, and no error');
select ok(not pg_temp.may_read('anything'), 'so is any other');

select tests.as_owner();
create temporary table old_topic as select pg_temp.topic('lounge') as topic;
grant select on old_topic to authenticated;
insert into public.user_presence (user_id, status, online_until) values (tests.user_id('ana'), 'online', now() + interval '35 seconds');
delete from public.chat_room_members where user_id = tests.user_id('ben');
select is(
  pg_temp.topic('lounge'), 'room:' || tests.room_id('lounge') || ':1', 'when somebody leaves, the room moves to a new topic'
);
select results_eq(
  $$ select topic, payload ->> 'topic' from pg_temp.events() where event = 'room-topic' $$,
  $$ values ('user:' || tests.user_id('ana'), pg_temp.topic('lounge')) $$,
  'who stays is told, and nobody else'
);

select tests.sign_in('ana');
select ok(not pg_temp.may_read((select topic from old_topic)), 'the old topic is nobody''s');
select ok(pg_temp.may_read(pg_temp.topic('lounge')), 'the new one is hers');

select * from finish();
rollback;
