begin;
select plan(33);

select tests.create_user(name) from unnest(array['ana', 'ben', 'chloe', 'dan', 'eve', 'guest']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), m.role::public.organization_role
from (
  values
    ('grand', 'ana', 'admin'), ('grand', 'ben', 'manager'), ('grand', 'chloe', 'staff'), ('grand', 'dan', 'staff'),
    ('other', 'eve', 'admin'), ('other', 'chloe', 'staff')
) as m (slug, name, role)
join public.organizations as o using (slug);
insert into public.user_presence (user_id, online_until)
select id, now() + interval '1 minute' from public.profiles where username in ('ana', 'guest');

create function pg_temp.hotel(p_slug text) returns uuid language sql security definer as $$
  select id from public.organizations where slug = p_slug
$$;
create function pg_temp.leave(p_name text) returns void language sql as $$
  select public.remove_organization_member(pg_temp.hotel('grand'), tests.user_id(p_name))
$$;
create function pg_temp.topics() returns table (title text, topic_epoch bigint) language sql security definer as $$
  select title, topic_epoch from public.chat_rooms order by title
$$;
create function pg_temp.told(p_event text) returns table (who text, title text) language sql security definer as $$
  select p.username, r.title
  from realtime.messages as e
  join public.profiles as p on e.topic = 'user:' || p.id
  left join public.chat_rooms as r on r.id = (e.payload ->> 'room_id')::uuid
  where e.event = p_event
$$;
grant execute on all functions in schema pg_temp to authenticated;

-- Chloé works in two hotels, and is in a group of each and in a private one.
select tests.create_room(title, members => members)
from (
  values ('staff', array['ana', 'chloe']), ('elsewhere', array['eve', 'chloe']), ('friends', array['ana', 'chloe'])
) as r (title, members);
update public.chat_rooms set organization_id = pg_temp.hotel('grand') where title = 'staff';
update public.chat_rooms set organization_id = pg_temp.hotel('other') where title = 'elsewhere';
insert into public.chat_rooms (type, title, room_number, organization_id, closed_at)
values
  ('guest', 'guest', '101', pg_temp.hotel('grand'), null),
  ('guest', 'past', '102', pg_temp.hotel('grand'), now()),
  ('guest', 'theirs', '101', pg_temp.hotel('other'), null);
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('guest'), tests.user_id('guest'));
-- She has read there, and keeps where she was.
select private.require_preferences(tests.user_id('chloe'), tests.room_id('guest'));

select tests.sign_in('chloe');
select lives_ok($$ select public.send_message(tests.room_id('guest'), 'Welcome!') $$, 'staff write to their guests');
select set_eq(
  'select title from public.chat_rooms', array['staff', 'elsewhere', 'friends', 'guest', 'theirs'], 'and see their rooms'
);
select tests.refuses($$ select pg_temp.leave('dan') $$, 'not_a_manager', 'staff remove nobody');
select tests.refuses($$ select pg_temp.leave(null) $$, 'not_a_manager', 'not even nobody');

select tests.sign_in('eve');
select tests.refuses($$ select pg_temp.leave('chloe') $$, 'not_in_organization', 'nor does the admin of another hotel');
select tests.refuses(
  $$ select public.remove_organization_member(gen_random_uuid(), tests.user_id('chloe')) $$,
  'organization_not_found', 'nor anybody where there is no hotel'
);

select tests.sign_in('ben');
select tests.refuses($$ select pg_temp.leave('ana') $$, 'not_an_admin', 'a manager does not remove an admin');
select tests.refuses($$ select pg_temp.leave('eve') $$, 'user_not_found', 'nor who does not work here');
select lives_ok($$ select pg_temp.leave('chloe') $$, 'but staff');
select tests.refuses($$ select pg_temp.leave('chloe') $$, 'user_not_found', 'once');

select tests.sign_in('chloe');
select set_eq('select title from public.chat_rooms', array['elsewhere', 'friends', 'theirs'], 'the next statement shows her nothing of it');
select is_empty($$ select id from public.organizations where slug = 'grand' $$, 'nor the hotel');
select tests.refuses($$ select public.get_messages(tests.room_id('guest')) $$, 'not_a_member', 'she reads no guest''s room');
select tests.refuses($$ select public.get_messages(tests.room_id('past')) $$, 'not_a_member', 'nor one of the past');
select tests.refuses($$ select public.send_message(tests.room_id('staff'), 'hello?') $$, 'not_a_member', 'and writes in none');
select results_eq(
  'select title, topic_epoch > 0 from pg_temp.topics()',
  $$ values ('elsewhere', false), ('friends', false), ('guest', true), ('past', false), ('staff', true), ('theirs', false) $$,
  'and hears nothing more: the open rooms of the hotel have moved, and no others'
);
select set_eq(
  $$ select * from pg_temp.told('room-topic') $$,
  $$ values ('ana', 'staff'), ('ana', 'guest'), ('guest', 'guest') $$,
  'who stays and is online learns where to, the guest too'
);

select tests.sign_in('ana');
select lives_ok(
  $$ select public.send_message(tests.room_id('guest'), 'Chloé has left us.') $$, 'the others go on'
);
select lives_ok(
  $$ select public.add_organization_member(pg_temp.hotel('grand'), tests.user_id('chloe'), 'staff') $$, 'she comes back'
);
select tests.sign_in('chloe');
select is(
  public.calculate_unread_count(tests.user_id('chloe'), tests.room_id('guest')), 0,
  'and has nothing unread of what was written meanwhile'
);
select lives_ok($$ select public.get_messages(tests.room_id('guest')) $$, 'but reads it');

select lives_ok($$ select pg_temp.leave('chloe') $$, 'everybody may leave');
select tests.sign_in('ben');
select lives_ok($$ select pg_temp.leave('ben') $$, 'a manager too');
select tests.sign_in('ana');
select tests.refuses($$ select pg_temp.leave('ana') $$, 'last_admin', 'the last admin not');
select lives_ok($$ select public.set_organization_role(pg_temp.hotel('grand'), tests.user_id('dan'), 'admin') $$, 'with another one');
select tests.sign_in('dan');
select lives_ok($$ select pg_temp.leave('ana') $$, 'one admin removes the other');
select tests.sign_in('ana');
select tests.refuses($$ select pg_temp.leave('dan') $$, 'not_in_organization', 'who removes nobody then');

-- The end of the hotel.
select tests.refuses(
  $$ select public.delete_organization(pg_temp.hotel('other')) $$, 'not_in_organization', 'nobody ends another''s hotel'
);
select tests.sign_in('chloe');
select tests.refuses($$ select public.delete_organization(pg_temp.hotel('other')) $$, 'not_an_admin', 'nor staff theirs');
select tests.sign_in('dan');
select lives_ok($$ select public.delete_organization(pg_temp.hotel('grand')) $$, 'its admin does');
select tests.refuses($$ select public.get_messages(tests.room_id('past')) $$, 'not_a_member', 'nobody reads its past then');
select tests.as_owner();
select private.remove_orphaned_rooms();
select set_eq(
  'select title from public.chat_rooms', array['elsewhere', 'friends', 'theirs'], 'its rooms are gone, and no others'
);
select set_eq(
  $$ select who from pg_temp.told('room-deleted') $$, array['guest', 'dan'], 'whoever was in one is told'
);

select * from finish();
rollback;
