begin;
select plan(22);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'eve', 'mia', 'sam']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id, role)
select id, tests.user_id(person), role::public.organization_role
from public.organizations, (values ('mia', 'manager'), ('sam', 'staff')) as staff (person, role);
insert into public.chat_rooms (type, title, room_number, organization_id) select 'guest', 'guest', '101', id from public.organizations;
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('guest'), tests.user_id('col'));

-- Those of the caller's permissions that are given, and the reasons for which others are not.
create function pg_temp.allowed(p_title text) returns text language sql as $$
  select string_agg(substr(key, 5), ' ' order by key)
  from jsonb_each(public.room_permissions(tests.room_id(p_title))) where value = '{"allowed": true, "reason": null}'
$$;
create function pg_temp.reason(p_title text, p_permission text) returns text language sql as $$
  select value ->> 'reason'
  from jsonb_each(public.room_permissions(tests.room_id(p_title))) where key = p_permission and value -> 'allowed' = 'false'
$$;
grant execute on function pg_temp.allowed(text), pg_temp.reason(text, text) to authenticated;

select tests.sign_in('ana');
select public.create_group_chat('lounge', array[tests.user_id('ben')]);
select is(
  pg_temp.allowed('lounge'),
  'add_members clear_for_everyone edit_room hard_delete leave read remove_members send set_roles', 'an owner may everything'
);

select tests.sign_in('ben');
select is(pg_temp.allowed('lounge'), 'leave read send', 'a member talks, and leaves');
select is(pg_temp.reason('lounge', permission), 'not_an_admin', permission || ': a member is no admin')
from unnest(array['can_add_members', 'can_edit_room', 'can_clear_for_everyone', 'can_hard_delete']) as permission;
select tests.refuses(
  $$ update public.chat_rooms set title = 'mine' where title = 'lounge' $$, 'not_an_admin', 'what is said is what is done'
);

select tests.sign_in('eve');
select is(pg_temp.allowed('lounge'), null, 'a stranger may nothing');
select is(pg_temp.reason('lounge', permission), 'not_a_member', permission || ': being a stranger')
from unnest(array['can_read', 'can_send', 'can_clear_for_everyone']) as permission;
select is(public.room_permissions(gen_random_uuid()) #>> '{can_read,reason}', 'room_not_found', 'where nothing is, nobody may anything');

select tests.sign_in('ana');
create temporary table direct as select (public.start_direct_chat(tests.user_id('eve')) ->> 'id')::uuid as id;
grant select on direct to authenticated;
select is(public.room_permissions(id) #>> '{can_add_members,reason}', 'not_a_group', 'a direct chat takes nobody in') from direct;
select is(public.room_permissions(id) #>> '{can_clear_for_everyone,allowed}', 'true', 'who began it clears it for both') from direct;
select is(public.room_permissions(id) #>> '{can_send,allowed}', 'true', 'both write') from direct;
select tests.sign_in('eve');
select is(public.room_permissions(id) #>> '{can_clear_for_everyone,reason}', 'not_an_admin', 'who did not does not') from direct;
insert into public.user_blocks (blocked_id) values (tests.user_id('ana'));
select tests.sign_in('ana');
select is(public.room_permissions(id) #>> '{can_send,reason}', 'blocked', 'until one blocks the other') from direct;

select tests.sign_in('mia');
select is(pg_temp.allowed('guest'), 'clear_for_everyone hard_delete read send', 'a manager clears and wipes what guests write');
select tests.sign_in('sam');
select is(pg_temp.allowed('guest'), 'read send', 'staff talk to guests');
select tests.sign_in('col');
select is(pg_temp.allowed('guest'), 'read send', 'guests to staff');
select tests.as_owner();
update public.chat_rooms set closed_at = now() where title = 'guest';
select tests.sign_in('sam');
select is(pg_temp.reason('guest', 'can_send'), 'stay_over', 'until they are gone');

select tests.present('{"role": "authenticated"}');
select tests.refuses('select public.room_permissions(gen_random_uuid())', 'not_signed_in', 'who is nobody is told nothing');

select * from finish();
rollback;
