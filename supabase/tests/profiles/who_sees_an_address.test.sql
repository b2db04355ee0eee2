begin;
select plan(16);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id)
select o.id, tests.user_id(m.name)
from (values ('grand', 'ana'), ('grand', 'col'), ('other', 'dan')) as m (slug, name)
join public.organizations as o using (slug);
select tests.create_room('lounge', members => array['ana', 'ben', 'dan']);
select tests.create_room('cellar', members => array['ben', 'dan', 'eve']);
select tests.create_room('lobby', members => array['col']);
update public.chat_rooms set organization_id = (select id from public.organizations where slug = 'grand') where title = 'lobby';

-- What the caller is shown as somebody's address.
create function pg_temp.address(p_name text) returns text language sql security definer as $$
  select private.user_json(tests.user_id(p_name)) ->> 'email'
$$;
grant execute on function pg_temp.address(text) to authenticated;

select tests.sign_in('eve');
select is(pg_temp.address('eve'), 'eve@example.com', 'people see their own address');
select tests.sign_in('ana');
select is(pg_temp.address('col'), 'col@example.com', 'and those of their hotel');
select is(pg_temp.address('eve'), null, 'not a stranger''s');
select is(pg_temp.address('ben'), null, 'not that of who shares a room and has not written');

select tests.sign_in('ben');
select public.send_message(tests.room_id('cellar'), 'not for Ana');
select tests.sign_in('ana');
select is(pg_temp.address('ben'), null, 'nor that of who has written elsewhere');
select tests.sign_in('eve');
select is(pg_temp.address('ben'), 'ben@example.com', 'but whoever was written to sees it');

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'hello');
select is(pg_temp.address('ben'), null, 'writing to somebody shows the writer nothing');
select tests.sign_in('ben');
select is(pg_temp.address('ana'), 'ana@example.com', 'but shows the reader who wrote');
select public.send_message(tests.room_id('lounge'), 'hello too');
select tests.sign_in('ana');
select is(pg_temp.address('ben'), 'ben@example.com', 'whoever answers is seen');
select is(
  (select array_agg(m #>> '{sender,email}') from jsonb_array_elements(public.get_messages(tests.room_id('lounge'))::jsonb) as m),
  array['ben@example.com', 'ana@example.com'],
  'in messages too'
);

-- Whoever is only added to an organization has no say in it.
select tests.sign_in('eve');
select public.create_organization('Trap', 'trap');
select public.add_organization_member((select id from public.organizations), tests.user_id('col'), 'staff');
select is(pg_temp.address('col'), null, 'adding a stranger to an organization shows nothing of them');
select tests.sign_in('col');
select is(pg_temp.address('eve'), 'eve@example.com', 'whoever made it is seen');
select public.create_group_chat('trapped', array[tests.user_id('eve')], p_organization_id => (select id from public.organizations where slug = 'trap'));
select public.send_message(tests.room_id('lobby'), 'in another organization');
select tests.sign_in('eve');
select is(pg_temp.address('col'), null, 'nor does what that person does elsewhere');
select tests.sign_in('col');
select public.send_message(tests.room_id('trapped'), 'what is this?');
select public.remove_room_member(tests.room_id('trapped'), tests.user_id('col'));
select tests.sign_in('eve');
select is(pg_temp.address('col'), 'col@example.com', 'whoever writes in a room of it is a colleague');
select tests.sign_in('ana');
select is(pg_temp.address('col'), 'col@example.com', 'as in the other one');

select tests.present('{"role": "authenticated"}');
select is(pg_temp.address('ana'), null, 'who is nobody sees none');

select * from finish();
rollback;
