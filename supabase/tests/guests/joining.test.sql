-- hotel.guest: the code lets in whoever uses it first, and nobody who has another.
begin;
select plan(38);

select tests.create_user(name) from unnest(array['ana', 'eve', 'friend']) as name;
select tests.create_user('maria', p_is_anonymous => true);
select tests.create_user('mallory', p_is_anonymous => true);
update public.profiles set first_name = '' where username = 'maria';
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id)
select o.id, tests.user_id(m.name)
from (values ('grand', 'ana'), ('other', 'eve')) as m (slug, name) join public.organizations as o using (slug);

create temporary table stays as
select slug, number, null::jsonb as answer from (values ('grand', '101'), ('grand', '102'), ('other', '101')) as s (slug, number);
create function pg_temp.code(p_slug text, p_number text) returns text language sql security definer as $$
  select answer ->> 'code' from stays where slug = p_slug and number = p_number
$$;
create function pg_temp.stay(p_slug text, p_number text) returns uuid language sql security definer as $$
  select (answer ->> 'stay_id')::uuid from stays where slug = p_slug and number = p_number
$$;
create function pg_temp.room(p_slug text, p_number text) returns uuid language sql security definer as $$
  select (answer ->> 'room_id')::uuid from stays where slug = p_slug and number = p_number
$$;
create function pg_temp.topic_of(p_slug text, p_number text) returns text language sql security definer as $$
  select topic from public.chat_rooms where id = pg_temp.room(p_slug, p_number)
$$;
create function pg_temp.tries() returns bigint language sql security definer as $$
  select count(*) from private.wrong_guest_codes
$$;
create function pg_temp.told(p_event text) returns setof text language sql security definer as $$
  select replace(replace(topic, tests.user_id('ana')::text, 'ana'), tests.user_id('maria')::text, 'maria')
  from realtime.messages
  where event = p_event and (payload ->> 'room_id')::uuid = pg_temp.room('grand', '101')
$$;
-- What a client sees of the answer to a join.
create function pg_temp.join(p_slug text, p_number text, p_code text) returns text language plpgsql as $$
declare
  answer jsonb;
begin
  perform set_config('response.status', '', true);
  answer := public.join_as_guest(p_slug, p_number, p_code);
  return concat_ws(' ', nullif(current_setting('response.status'), ''), coalesce(answer ->> 'details', answer ->> 'id'));
end;
$$;
grant all on stays to authenticated;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
update stays set answer = public.check_in_guest((select id from public.organizations), number, 'Maria Lopez') where slug = 'grand';
select public.send_message(pg_temp.room('grand', '101'), 'Welcome, Maria!');
select tests.sign_in('eve');
update stays set answer = public.check_in_guest((select id from public.organizations), number, 'Nina') where slug = 'other';

select set_eq(
  $$ select * from pg_temp.told('room-created') $$, array['user:ana', pg_temp.topic_of('grand', '101')], 'staff learn that somebody has checked in'
);

select tests.sign_in('mallory');
select is(pg_temp.join(slug, number, code), '403 wrong_code', format('no way in: %s', name))
from (
  values
    ('a wrong code', 'grand', '101', 'AAAAAAAAAA'),
    ('the code of another hotel room', 'grand', '101', pg_temp.code('grand', '102')),
    ('the code of another hotel', 'grand', '101', pg_temp.code('other', '101')),
    ('a number without a guest', 'grand', '999', pg_temp.code('grand', '101')),
    ('a hotel that is none', 'nowhere', '101', pg_temp.code('grand', '101'))
) as wrong (name, slug, number, code);
select is(pg_temp.tries(), 5::bigint, 'each of them counts');
select tests.refuses(
  $$ select pg_temp.join('grand', '102', pg_temp.code('grand', '102')) $$, 'too_many_requests', 'after five there is no sixth, not even a right one'
);

select tests.sign_in('maria');
select is(pg_temp.join('grand', '101', null), '403 wrong_code', 'null is no code');
select is(pg_temp.join(null, null, null), '403 wrong_code', 'nor is there a hotel of that name');
select results_eq(
  $$ select answer -> 'id', answer -> 'type', answer -> 'room_number', answer -> 'unread_count'
     from public.join_as_guest('grand', '101', lower(substr(pg_temp.code('grand', '101'), 1, 5) || '-' || substr(pg_temp.code('grand', '101'), 6))) as answer $$,
  $$ values (to_jsonb(pg_temp.room('grand', '101')), '"guest"'::jsonb, '"101"'::jsonb, '0'::jsonb) $$,
  'an anonymous user joins with the code, in small letters too, and gets the room'
);
select is(
  pg_temp.join('grand', '101', pg_temp.code('grand', '101')), pg_temp.room('grand', '101')::text, 'joining again answers the same'
);
select is(pg_temp.tries(), 7::bigint, 'and counts nothing');
select results_eq(
  $$ select * from pg_temp.told('member-joined') order by 1 $$,
  array[pg_temp.topic_of('grand', '101'), 'user:maria'],
  'staff learn, once, that the guest is there'
);
select is(
  jsonb_path_query_array(public.get_messages(pg_temp.room('grand', '101'))::jsonb, '$[*].content'), '["Welcome, Maria!"]', 'the guest reads'
);
select lives_ok($$ select public.send_message(pg_temp.room('grand', '101'), 'Hello!') $$, 'and writes');
select is(
  (select first_name from public.profiles where id = tests.user_id('maria')), 'Maria Lopez', 'under the name of the check-in'
);
select results_eq('select id from public.chat_rooms', $$ values (pg_temp.room('grand', '101')) $$, 'and sees no other room');
select is_empty('select id from public.guest_stays', 'nor any stay');
select is_empty('select id from public.organizations', 'nor the hotel''s inside');

select tests.sign_in('friend');
select is(
  pg_temp.join('grand', '101', pg_temp.code('grand', '101')), '403 wrong_code', 'a used code is a wrong one for everybody else'
);
select is(
  pg_temp.join('grand', '102', pg_temp.code('grand', '102')), pg_temp.room('grand', '102')::text, 'somebody with an account joins as well'
);
select is(
  (select first_name from public.profiles where id = tests.user_id('friend')), 'Friend', 'and keeps the name of that account'
);

-- A new code.
select tests.sign_in('eve');
select tests.refuses($$ select public.renew_guest_code(pg_temp.stay('grand', '101')) $$, 'not_in_organization', 'another hotel renews nothing');
select tests.sign_in('maria');
select tests.refuses($$ select public.renew_guest_code(pg_temp.stay('grand', '101')) $$, 'not_in_organization', 'nor does a guest');
select tests.sign_in('ana');
select tests.refuses($$ select public.renew_guest_code(gen_random_uuid()) $$, 'stay_not_found', 'what is no stay has no code');
select tests.refuses($$ select public.renew_guest_code(null) $$, 'stay_not_found', 'nor has null');
create temporary table old_code as select pg_temp.code('grand', '101') as code, pg_temp.topic_of('grand', '101') as topic;
grant select on old_code to authenticated;
update stays set answer = answer || public.renew_guest_code(pg_temp.stay('grand', '101')) where slug = 'grand' and number = '101';
select isnt((select code from old_code), pg_temp.code('grand', '101'), 'staff renew the code');
select isnt((select topic from old_code), pg_temp.topic_of('grand', '101'), 'the open channels of whoever had the old one hear nothing more');

select ok('user:maria' in (select pg_temp.told('member-left')), 'who is told so');

select tests.sign_in('maria');
select tests.refuses($$ select public.get_messages(pg_temp.room('grand', '101')) $$, 'not_a_member', 'who reads nothing more either');
select is(pg_temp.join('grand', '101', (select code from old_code)), '403 wrong_code', 'and is not let in with it again');
select tests.sign_in('friend');
select is(
  pg_temp.join('grand', '101', pg_temp.code('grand', '101')), pg_temp.room('grand', '101')::text, 'the new one binds to the next who uses it'
);
select is(
  jsonb_path_query_array(public.get_messages(pg_temp.room('grand', '101'))::jsonb, '$[*].content'),
  '["Hello!", "Welcome, Maria!"]', 'who reads on in the same stay'
);

-- An account that ends does not free its code.
select tests.as_owner();
delete from auth.users where id = tests.user_id('friend');
select tests.sign_in('maria');
select is(
  pg_temp.join('grand', '101', pg_temp.code('grand', '101')), '403 wrong_code', 'the code of an account that has ended stays used'
);

-- The door of one hotel room.
select tests.as_owner();
update private.limits set value = 3 where name = 'wrong_codes_per_hotel_room';
delete from private.wrong_guest_codes;
insert into private.wrong_guest_codes (user_id, door, tried_at)
select gen_random_uuid(), md5('other/101')::uuid, now() - age
from unnest(array[interval '16 minutes', '14 minutes', '1 minute']) as age;
select tests.create_user('nina');
select tests.sign_in('nina');
select is(pg_temp.join('other', '101', 'AAAAAAAAAA'), '403 wrong_code', 'what was tried 16 minutes ago is forgotten');
select tests.refuses(
  $$ select pg_temp.join('other', '101', pg_temp.code('other', '101')) $$, 'too_many_requests', 'a hotel room has a limit too, whoever tries'
);
select tests.sign_out();
select throws_ok($$ select public.join_as_guest('grand', '101', 'AAAAAAAAAA') $$, '42501', null, 'who is not signed in does not get as far');

select * from finish();
rollback;
