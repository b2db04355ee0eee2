-- Everybody's verdict on each message: what can_delete_message says is what delete_message does.
begin;
select plan(28);

select tests.create_user(name)
from unnest(array['ana', 'ben', 'chloe', 'dan', 'eve', 'gus', 'hal']) as name;
insert into public.organizations (id, slug, name)
values ('00000000-0000-4000-8000-0000000000f1', 'inn', 'The Inn'), ('00000000-0000-4000-8000-0000000000f2', 'spa', 'The Spa');
insert into public.organization_members (organization_id, user_id, role)
values
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('ana'), 'admin'),
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('ben'), 'manager'),
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('chloe'), 'staff'),
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('dan'), 'staff'),
  ('00000000-0000-4000-8000-0000000000f2', tests.user_id('eve'), 'admin');

-- A guest's room, a group of the hotel's, and one of friends.
insert into public.chat_rooms (type, title, organization_id, room_number)
values ('guest', 'room 7', '00000000-0000-4000-8000-0000000000f1', '7');
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('room 7'), tests.user_id('gus'));
select tests.create_room('desk', members => array['ana', 'ben', 'chloe', 'dan']);
update public.chat_rooms set organization_id = '00000000-0000-4000-8000-0000000000f1' where title = 'desk';
update public.chat_room_members set role = 'admin' where room_id = tests.room_id('desk') and user_id = tests.user_id('dan');
select tests.create_room('friends', members => array['gus', 'hal', 'eve']);
update public.chat_room_members set role = 'owner' where room_id = tests.room_id('friends') and user_id = tests.user_id('gus');
update public.chat_room_members set role = 'admin' where room_id = tests.room_id('friends') and user_id = tests.user_id('hal');

insert into public.chat_messages (room_id, sender_id, content)
values
  (tests.room_id('room 7'), tests.user_id('gus'), 'towels'),
  (tests.room_id('room 7'), tests.user_id('gus'), 'towels, again'),
  (tests.room_id('room 7'), tests.user_id('chloe'), 'coming');
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('desk'), tests.user_id('chloe'), 'shift');
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('friends'), tests.user_id('eve'), 'party');
insert into public.chat_messages (room_id, sender_id, message_type, content)
values (tests.room_id('friends'), tests.user_id('eve'), 'system', 'Eve came');
update public.chat_messages set created_at = now() - interval '5 minutes 1 second' where content in ('towels', 'coming');
create temporary table named as select content as name, id from public.chat_messages;
grant select on named to authenticated;

-- The reason, `allowed`, or the code of the refusal.
create function pg_temp.verdict(p_who text, p_name text, p_hard boolean default false) returns text language plpgsql as $$
declare
  verdict jsonb;
  done text;
  code text;
begin
  perform tests.sign_in(p_who);
  begin
    verdict := public.can_delete_message((select id from named where name = p_name), p_hard);
    done := coalesce(verdict ->> 'reason', 'allowed');
  exception when others then
    get stacked diagnostics done = pg_exception_detail;
  end;
  begin
    perform public.delete_message((select id from named where name = p_name), p_hard);
    code := 'allowed';
    -- Done, and taken back for the next one's turn.
    raise exception 'taken back' using detail = 'allowed';
  exception when others then
    get stacked diagnostics code = pg_exception_detail;
  end;
  perform tests.as_owner();
  return case when done = code then code else format('said %s, did %s', done, code) end;
end;
$$;

select is(pg_temp.verdict('gus', 'towels, again'), 'allowed', 'hotel.delete: a guest deletes what was just written');
select is(pg_temp.verdict('gus', 'towels'), 'guest_window_over', 'and nothing that is older than five minutes');
select is(pg_temp.verdict('gus', 'coming'), 'not_the_author', 'nor what others wrote');
select is(pg_temp.verdict('gus', 'towels, again', true), 'not_an_admin', 'nor for good');
select is(pg_temp.verdict('chloe', 'coming'), 'allowed', 'staff delete their own, at any time');
select is(pg_temp.verdict('chloe', 'towels, again'), 'not_the_author', 'and nothing of a guest''s');
select is(pg_temp.verdict('dan', 'coming'), 'not_the_author', 'nor of one another');
select is(pg_temp.verdict('chloe', 'coming', true), 'not_an_admin', 'staff.delete: and not for good');
select is(pg_temp.verdict('ben', 'towels'), 'allowed', 'a manager deletes a guest''s, at any time');
select is(pg_temp.verdict('ben', 'coming'), 'allowed', 'and the staff''s');
select is(pg_temp.verdict('ben', 'towels', true), 'allowed', 'also for good');
select is(pg_temp.verdict('ana', 'towels'), 'allowed', 'so does an admin');
select is(pg_temp.verdict('ana', 'coming', true), 'allowed', 'also for good');
select is(pg_temp.verdict('eve', 'towels'), 'not_a_member', 'an admin of another hotel does not');
select is(pg_temp.verdict('ben', 'shift'), 'allowed', 'a manager deletes in the hotel''s groups');
select is(pg_temp.verdict('dan', 'shift'), 'allowed', 'and so does the group''s admin');
select is(pg_temp.verdict('dan', 'shift', true), 'not_an_admin', 'but for good only managers and admins of the hotel');
select is(pg_temp.verdict('chloe', 'shift'), 'allowed', 'and its author');
select is(pg_temp.verdict('gus', 'shift'), 'not_a_member', 'a stranger does not');
select is(pg_temp.verdict('gus', 'party'), 'allowed', 'a group''s owner deletes what others wrote');
select is(pg_temp.verdict('hal', 'party'), 'allowed', 'and so does its admin');
select is(pg_temp.verdict('hal', 'party', true), 'allowed', 'in a group of no hotel''s, for good');
select is(pg_temp.verdict('eve', 'party', true), 'not_an_admin', 'not so a member');
select is(pg_temp.verdict('eve', 'Eve came'), 'not_the_author', 'what the system says of somebody is not theirs');
select is(pg_temp.verdict('hal', 'Eve came'), 'allowed', 'but in the hands of an admin');

select tests.sign_in('gus');
select tests.refuses(
  $$ select public.can_delete_message(gen_random_uuid()) $$, 'message_not_found', 'of no message there is no verdict'
);

select tests.as_owner();
update public.organizations set guest_delete_window = '1 hour' where slug = 'inn';
select is(pg_temp.verdict('gus', 'towels'), 'allowed', 'each hotel says for how long a guest may');
update public.chat_room_members set expires_at = now() where user_id = tests.user_id('gus') and room_id = tests.room_id('room 7');
select is(pg_temp.verdict('gus', 'towels'), 'not_a_member', 'whose stay is over deletes nothing');

select * from finish();
rollback;
