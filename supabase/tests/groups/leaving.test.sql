begin;
select plan(25);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve']) as name;
create function pg_temp.people(variadic p_names text[]) returns uuid[] language sql as $$
  select array_agg(tests.user_id(name)) from unnest(p_names) as name
$$;
create function pg_temp.remove(p_title text, p_name text) returns jsonb language sql as $$
  select public.remove_room_member(tests.room_id(p_title), tests.user_id(p_name))
$$;
create function pg_temp.roles(p_title text) returns table (username text, role text) language sql security definer as $$
  select p.username, m.role::text
  from public.chat_room_members as m
  join public.profiles as p on p.id = m.user_id
  where m.room_id = tests.room_id(p_title)
  order by 1
$$;
grant execute on function pg_temp.people(text[]), pg_temp.remove(text, text), pg_temp.roles(text) to authenticated;

select tests.sign_in('ana');
select public.create_group_chat('lounge', pg_temp.people('ben', 'col', 'dan'));
select tests.as_owner();
-- Who came when, as in days before.
update public.chat_room_members set joined_at = now() - interval '1 day' where user_id = tests.user_id('col');
create temporary table lounge as select tests.room_id('lounge') as id;
grant select on lounge to authenticated;

select tests.sign_in('dan');
select public.send_message(tests.room_id('lounge'), 'hello');
select tests.refuses($$ select pg_temp.remove('lounge', 'ben') $$, 'not_an_admin', 'members do not remove others');
select is(pg_temp.remove('lounge', 'dan') -> 'member_count', '4', 'members leave by themselves, and see the room as it was');
select is_empty($$ select id from public.chat_rooms $$, 'and then no longer');
select tests.refuses($$ select pg_temp.remove('lounge', 'dan') $$, 'not_a_member', 'once');

select tests.sign_in('ana');
select tests.refuses($$ select pg_temp.remove('lounge', 'dan') $$, 'user_not_found', 'who is not there cannot be removed');
select public.set_member_role(tests.room_id('lounge'), tests.user_id('ben'), 'admin');
select public.add_room_members(tests.room_id('lounge'), pg_temp.people('dan', 'eve'));

select tests.sign_in('ben');
select tests.refuses($$ select pg_temp.remove('lounge', 'ana') $$, 'not_an_owner', 'admins do not remove an owner');
select is(pg_temp.remove('lounge', 'eve') -> 'member_count', '4', 'but members they do');
select tests.sign_in('eve');
select is_empty($$ select id from public.chat_rooms $$, 'who is removed sees the room no longer');
select tests.refuses($$ select public.send_message((select id from lounge), 'x') $$, 'not_a_member', 'and writes there no longer');

select tests.sign_in('ana');
select is(pg_temp.remove('lounge', 'ben') -> 'member_count', '3', 'an owner removes an admin');
select pg_temp.remove('lounge', 'ana');
select results_eq(
  $$ select * from pg_temp.roles('lounge') $$, $$ values ('col', 'admin'), ('dan', 'member') $$,
  'mobile.delete: the only admin leaving makes the longest-standing member admin'
);
select tests.sign_in('col');
select public.set_member_role(tests.room_id('lounge'), tests.user_id('dan'), 'admin');
select public.add_room_members(tests.room_id('lounge'), pg_temp.people('eve'));
select pg_temp.remove('lounge', 'col');
select results_eq(
  $$ select * from pg_temp.roles('lounge') $$, $$ values ('dan', 'admin'), ('eve', 'member') $$,
  'while another admin is there, nobody is promoted'
);

select tests.sign_in('dan');
select pg_temp.remove('lounge', 'eve');
select tests.as_owner();
select is((select count(*) from public.chat_messages where room_id = (select id from lounge)), 1::bigint, 'what was said stays');
select tests.sign_in('dan');
select pg_temp.remove('lounge', 'dan');
select tests.as_owner();
select is_empty($$ select id from public.chat_rooms $$, 'mobile.delete: the last one out deletes the room');
select is_empty($$ select id from public.chat_messages $$, 'with its messages');
select is_empty($$ select user_id from public.user_chat_preferences $$, 'and with what anybody kept of it');

select tests.sign_in('ana');
create temporary table direct as select (public.start_direct_chat(tests.user_id('ben')) ->> 'id')::uuid as id;
grant select on direct to authenticated;
select tests.refuses(
  $$ select public.remove_room_member((select id from direct), tests.user_id('ana')) $$, 'not_a_group', 'a direct chat is not left'
);
select tests.refuses(
  $$ select public.remove_room_member((select id from direct), tests.user_id('ben')) $$,
  'not_a_group', 'and nobody is removed from it'
);
select tests.refuses(
  $$ select public.remove_room_member(gen_random_uuid(), tests.user_id('ana')) $$, 'room_not_found', 'there is no such room'
);
select tests.refuses(
  $$ select public.remove_room_member((select id from direct), null) $$, 'not_a_group', 'nobody is no member'
);

-- An organization is left with its rooms, by the same rules.
select tests.as_owner();
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['ana', 'ben']) as person;
select tests.sign_in('ana');
select public.create_group_chat('hall', pg_temp.people('ben'), p_organization_id => (select id from public.organizations));
select public.create_group_chat('cellar', null, p_organization_id => (select id from public.organizations));
select public.start_direct_chat(tests.user_id('ben'), (select id from public.organizations), p_content => 'at work');
select public.create_group_chat('home', null);
select tests.as_owner();
delete from public.organization_members where user_id = tests.user_id('ana');
select results_eq(
  $$ select * from pg_temp.roles('hall') $$, $$ values ('ben', 'admin') $$, 'who leaves the hotel leaves its groups an admin'
);
select is(tests.room_id('cellar'), null, 'and takes a group along where nobody else is');
select is((select count(*) from pg_temp.roles('home')), 1::bigint, 'not another group');
insert into public.organization_members (organization_id, user_id) select id, tests.user_id('ana') from public.organizations;
select tests.sign_in('ana');
select is(
  public.start_direct_chat(tests.user_id('ben'), (select id from public.organizations)) #>> '{last_message,content}',
  'at work', 'who comes back finds the direct chat'
);
select is(
  (select count(*) from public.chat_room_members as m join public.chat_rooms as r on r.id = m.room_id where r.organization_id is not null and r.type = 'direct'),
  2::bigint, 'and is in it again'
);

select * from finish();
rollback;
