-- Unread is what others wrote after one's cursor: without what is deleted, what the system says, and one's own.
begin;
select plan(15);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
update private.limits set value = 100000 where name = 'messages_per_minute';

create function pg_temp.unread(p_name text)
returns int
language sql
as $$ select unread_count from private.unread_counts(tests.user_id(p_name), array[tests.room_id('lounge')]) $$;

create function pg_temp.write(p_name text, p_from int, p_to int)
returns void
language sql
as $$
  insert into public.chat_messages (room_id, sender_id, content)
  select tests.room_id('lounge'), tests.user_id(p_name), n from generate_series(p_from, p_to) as n
$$;

select pg_temp.write('ana', 1, 100);
select pg_temp.write('ben', 101, 130);
select pg_temp.write('ana', 131, 200);
select is(pg_temp.unread('ben'), 170, 'what others wrote, not one''s own');
select is(pg_temp.unread('ana'), 30, 'for each in turn');

update public.chat_messages set is_deleted = true, deleted_at = now() where seq in (1, 64, 65, 110);
select is(pg_temp.unread('ben'), 167, 'without what is deleted, one''s own neither counted nor taken off twice');
update public.chat_messages set is_deleted = false, deleted_at = null where seq = 65;
select is(pg_temp.unread('ben'), 168, 'and again with what is restored');

insert into public.chat_messages (room_id, sender_id, message_type, content)
values (tests.room_id('lounge'), null, 'system', 'Ana renamed the chat');
select is(pg_temp.unread('ben'), 168, 'what the system says does not count');
select is((select uncounted_messages from public.chat_rooms), 4::bigint, 'and is summed with the three that are deleted');

update public.user_chat_preferences set last_read_seq = 64 where user_id = tests.user_id('ben');
select is(pg_temp.unread('ben'), 106, 'after the cursor alone');
update public.chat_rooms set floor_seq = 150;
select is(pg_temp.unread('ben'), 50, 'and above the floor of a room that was cleared');

update public.user_chat_preferences set last_read_seq = 201, manually_marked_unread = true where user_id = tests.user_id('ben');
select is(pg_temp.unread('ben'), 1, 'marked unread by hand: at least one');

-- The hotel's staff are in its guests' rooms without a row of their own.
insert into public.organizations (name, slug) values ('Alpina', 'alpina');
insert into public.chat_rooms (type, title, room_number, organization_id)
select 'guest', 'suite', '7', id from public.organizations where slug = 'alpina';
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('suite'), tests.user_id('ana'));
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('suite'), tests.user_id('ana'), n from generate_series(1, 9) as n;

create function pg_temp.unread_of_staff(p_joined_at timestamptz)
returns int
language plpgsql
as $$
begin
  delete from public.organization_members where user_id = tests.user_id('ben');
  insert into public.organization_members (organization_id, user_id, role, joined_at)
  select id, tests.user_id('ben'), 'staff', p_joined_at from public.organizations where slug = 'alpina';
  return (select unread_count from private.unread_counts(tests.user_id('ben'), array[tests.room_id('suite')]));
end;
$$;

select is(pg_temp.unread_of_staff('-infinity'), 9, 'staff who were there before the guest have everything to read');
select results_eq(
  $$ select pg_temp.unread_of_staff(created_at) from public.chat_messages where room_id = tests.room_id('suite') order by seq $$,
  $$ select generate_series(8, 0, -1) $$,
  'who comes later starts at what was written by then'
);
select is(pg_temp.unread_of_staff('infinity'), 0, 'and after all of it with nothing');

-- An account ends: what it wrote stays, and is others'.
update public.chat_rooms set floor_seq = 105 where id = tests.room_id('lounge');
select is(
  (select unread_messages from private.unread_counts(tests.user_id('ana'), array[tests.room_id('lounge')], 99)),
  24, 'counted after another cursor, which the floor of the room still bounds'
);
delete from auth.users where id = tests.user_id('ben');
select is(
  (select unread_messages from private.unread_counts(tests.user_id('ana'), array[tests.room_id('lounge')], 120)),
  10, 'what somebody wrote whose account has ended still counts'
);

select tests.sign_in('eve');
select is(
  public.calculate_unread_count(tests.user_id('ana'), tests.room_id('suite')), 0, 'others'' counts are not told'
);

select * from finish();
rollback;
