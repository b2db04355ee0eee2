-- hotel.guest: check-out and expiry end access at once, and the hotel keeps what was written.
begin;
select plan(40);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve', 'maria', 'nina', 'olga']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id)
select o.id, tests.user_id(m.name)
from (values ('grand', 'ana'), ('grand', 'ben'), ('other', 'eve')) as m (slug, name) join public.organizations as o using (slug);

create function pg_temp.hotel(p_slug text) returns uuid language sql security definer as $$
  select id from public.organizations where slug = p_slug
$$;
create temporary table stays (guest text, answer jsonb);
create function pg_temp.stay(p_guest text) returns uuid language sql security definer as $$
  select (answer ->> 'stay_id')::uuid from stays where guest = p_guest
$$;
create function pg_temp.room(p_guest text) returns uuid language sql security definer as $$
  select (answer ->> 'room_id')::uuid from stays where guest = p_guest
$$;
create function pg_temp.code(p_guest text) returns text language sql security definer as $$
  select answer ->> 'code' from stays where guest = p_guest
$$;
create function pg_temp.topic_of(p_guest text) returns text language sql security definer as $$
  select topic from public.chat_rooms where id = pg_temp.room(p_guest)
$$;
create function pg_temp.unread(p_name text, p_guest text) returns int language sql as $$
  select public.calculate_unread_count(tests.user_id(p_name), pg_temp.room(p_guest))
$$;
create function pg_temp.contents(p_guest text) returns jsonb language sql as $$
  select jsonb_path_query_array(public.get_messages(pg_temp.room(p_guest))::jsonb, '$[*].content')
$$;
create function pg_temp.guests(p_open boolean, p_limit int default 50, p_before_id uuid default null) returns jsonb language sql as $$
  select jsonb_path_query_array(
    public.list_guest_stays((select id from public.organizations), p_open, p_limit, p_before_id), '$[*].guest_name'
  )
$$;
-- As Realtime asks.
create function pg_temp.may_listen(p_topic text) returns boolean language plpgsql as $$
begin
  perform set_config('realtime.topic', p_topic, true);
  return exists (select from realtime.messages where topic = 'probe');
end;
$$;
insert into realtime.messages (topic, extension) values ('probe', 'broadcast');
grant all on stays to authenticated;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
insert into stays
select 'maria', public.check_in_guest((select id from public.organizations), '101', 'Maria', now() + interval '1 day');
select tests.sign_in('maria');
select public.join_as_guest('grand', '101', pg_temp.code('maria'));
select public.send_message(pg_temp.room('maria'), 'Towels, please');
select ok(pg_temp.may_listen(pg_temp.topic_of('maria')), 'a guest hears the hotel');

select tests.sign_in('ben');
select is(pg_temp.unread('ben', 'maria'), 1, 'staff who never opened a guest''s room have it unread');
select is(pg_temp.contents('maria'), '["Towels, please"]', 'all staff read it');
select results_eq(
  'select content from public.chat_messages', array['Towels, please'], 'by the tables too'
);
select ok(pg_temp.may_listen(pg_temp.topic_of('maria')), 'and hear it');
select is(pg_temp.guests(true), '["Maria"]', 'and have it in their list');
select is(pg_temp.guests(false), '[]', 'which knows of no past stay');
select lives_ok($$ select public.send_message(pg_temp.room('maria'), 'On their way') $$, 'and answer');

select tests.sign_in('eve');
select tests.refuses($$ select pg_temp.contents('maria') $$, 'not_a_member', 'staff of another hotel do not read it');
select is_empty('select id from public.chat_rooms', 'nor see the room');
select is_empty('select id from public.chat_messages', 'or a message');
select is_empty('select id from public.guest_stays', 'or the stay');
select ok(not pg_temp.may_listen(pg_temp.topic_of('maria')), 'or hear it');
select is(pg_temp.unread('eve', 'maria'), 0, 'or count it');
select tests.refuses(
  $$ select public.list_guest_stays(pg_temp.hotel('grand')) $$, 'not_in_organization', 'or list the stays'
);
select tests.refuses($$ select public.check_out_guest(pg_temp.stay('maria')) $$, 'not_in_organization', 'or check anybody out');
select tests.sign_in('maria');
select tests.refuses($$ select public.check_out_guest(pg_temp.stay('maria')) $$, 'not_in_organization', 'nor does a guest');

-- Time ends it, before any job does.
select tests.as_owner();
create temporary table old as select pg_temp.topic_of('maria') as topic;
grant select on old to authenticated;
savepoint before_the_end;
update public.guest_stays set expires_at = now();
update public.chat_room_members set expires_at = now();
select tests.sign_in('maria');
select tests.refuses($$ select pg_temp.contents('maria') $$, 'not_a_member', 'when her time is over, a guest reads nothing more');
select is_empty('select id from public.chat_messages', 'by the tables neither');
select tests.refuses($$ select public.send_message(pg_temp.room('maria'), 'Wait!') $$, 'not_a_member', 'nor writes');
select ok(not pg_temp.may_listen((select topic from old)), 'nor listens anew');
select is(public.join_as_guest('grand', '101', pg_temp.code('maria')) ->> 'details', 'wrong_code', 'nor joins with the old code');
select tests.sign_in('ana');
select is(pg_temp.guests(true) || pg_temp.guests(false), '["Maria"]', 'staff have it among the past ones');
select tests.refuses($$ select public.renew_guest_code(pg_temp.stay('maria')) $$, 'stay_over', 'and renew no code of it');
select tests.as_owner();
select private.close_expired_stays();
select isnt(pg_temp.topic_of('maria'), (select topic from old), 'the job moves the topic: channels that are open hear nothing more');
select isnt((select closed_at from public.chat_rooms), null, 'and closes the room');
rollback to before_the_end;

select private.close_expired_stays();
select is(
  (select closed_at from public.chat_rooms), null, 'the job closes nothing whose time is not over'
);

select tests.sign_in('ana');
select lives_ok($$ select public.check_out_guest(pg_temp.stay('maria')) $$, 'staff check a guest out');
select lives_ok($$ select public.check_out_guest(pg_temp.stay('maria')) $$, 'once more changes nothing');
select tests.refuses($$ select public.check_out_guest(gen_random_uuid()) $$, 'stay_not_found', 'what is no stay has no end');
select isnt(pg_temp.topic_of('maria'), (select topic from old), 'the topic has moved');
insert into stays select 'nina', public.check_in_guest((select id from public.organizations), '101', 'Nina');
select tests.sign_in('maria');
select tests.refuses($$ select pg_temp.contents('maria') $$, 'not_a_member', 'who has checked out is out');

select tests.sign_in('nina');
select public.join_as_guest('grand', '101', pg_temp.code('nina'));
select is(pg_temp.contents('nina'), '[]', 'the next guest of the same hotel room sees nothing of the last one');
select tests.refuses($$ select pg_temp.contents('maria') $$, 'not_a_member', 'not by the id of the room either');
select results_eq('select room_id from public.chat_room_members', $$ values (pg_temp.room('nina')) $$, 'and is in a room of her own');

select tests.sign_in('ben');
select is(pg_temp.contents('maria'), '["On their way", "Towels, please"]', 'staff read what the last one wrote');
select results_eq('select id from public.chat_rooms', $$ values (pg_temp.room('nina')) $$, 'by a function: their list holds those who are there');
select tests.refuses($$ select public.send_message(pg_temp.room('maria'), 'Bye') $$, 'stay_over', 'nobody writes to who has left');
select is(
  jsonb_build_array(pg_temp.guests(null), pg_temp.guests(true), pg_temp.guests(false), pg_temp.guests(null, 1, pg_temp.stay('nina'))),
  '[["Nina", "Maria"], ["Nina"], ["Maria"], ["Maria"]]', 'the list of stays has both, newest first, page by page'
);
select tests.refuses('select pg_temp.guests(true, 101)', 'limit_out_of_range', 'at most 100 a page');

select * from finish();
rollback;
