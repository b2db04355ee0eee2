begin;
select plan(27);

select tests.create_user(name) from unnest(array['ana', 'ben', 'chloe', 'dan', 'eve', 'fay']) as name;
select tests.create_user('guest', p_is_anonymous => true);
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), m.role::public.organization_role
from (
  values ('grand', 'ana', 'admin'), ('grand', 'ben', 'manager'), ('grand', 'chloe', 'staff'), ('other', 'eve', 'admin')
) as m (slug, name, role)
join public.organizations as o using (slug);
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('fay'), tests.user_id('ana'));

create function pg_temp.grand() returns uuid language sql security definer as $$
  select id from public.organizations where slug = 'grand'
$$;
create function pg_temp.add(p_name text, p_role text) returns void language sql as $$
  select public.add_organization_member(pg_temp.grand(), tests.user_id(p_name), p_role)
$$;
create function pg_temp.promote(p_name text, p_role text) returns void language sql as $$
  select public.set_organization_role(pg_temp.grand(), tests.user_id(p_name), p_role)
$$;
create function pg_temp.role_of(p_name text) returns text language sql security definer as $$
  select role::text from public.organization_members where organization_id = pg_temp.grand() and user_id = tests.user_id(p_name)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ben');
select lives_ok($$ select pg_temp.add('dan', 'staff') $$, 'a manager adds staff');
select is(pg_temp.role_of('dan'), 'staff', 'who is staff then');
select tests.refuses($$ select pg_temp.add('fay', 'manager') $$, 'not_an_admin', 'not another manager');
select tests.refuses($$ select pg_temp.add('fay', 'admin') $$, 'not_an_admin', 'nor an admin');
select tests.refuses($$ select pg_temp.promote('dan', 'manager') $$, 'not_an_admin', 'and promotes nobody');
select tests.refuses($$ select pg_temp.promote('ben', 'admin') $$, 'not_an_admin', 'not even himself');

select tests.sign_in('chloe');
select tests.refuses($$ select pg_temp.add('fay', 'staff') $$, 'not_a_manager', 'staff add nobody');

select tests.sign_in('eve');
select tests.refuses($$ select pg_temp.add('fay', 'staff') $$, 'not_in_organization', 'the admin of another hotel adds nobody here');
select tests.refuses($$ select pg_temp.promote('ana', 'staff') $$, 'not_in_organization', 'nor changes a role');
select tests.refuses(
  $$ select public.add_organization_member(gen_random_uuid(), tests.user_id('fay'), 'staff') $$,
  'organization_not_found', 'what does not exist is not found'
);
select tests.refuses(
  $$ select public.set_organization_role(null, tests.user_id('fay'), 'staff') $$, 'organization_not_found', 'nor is null'
);

select tests.sign_in('ana');
select lives_ok($$ select pg_temp.add('eve', 'manager') $$, 'an admin adds any role');
select is(pg_temp.role_of('eve'), 'manager', 'which is theirs then');
select lives_ok($$ select pg_temp.add('eve', 'staff') $$, 'somebody is added again');
select is(pg_temp.role_of('eve'), 'manager', 'which changes nothing');
select tests.refuses($$ select pg_temp.add('dan', 'owner') $$, 'unknown_role', 'there are three roles');
select tests.refuses($$ select pg_temp.add('dan', null) $$, 'unknown_role', 'null is none');
select tests.refuses($$ select pg_temp.add('nobody', 'staff') $$, 'user_not_found', 'nobody is not added');
select tests.refuses($$ select pg_temp.add('guest', 'staff') $$, 'user_not_found', 'nor is an anonymous guest');
select tests.refuses($$ select pg_temp.add('fay', 'staff') $$, 'blocked', 'nor who has blocked her');

select lives_ok($$ select pg_temp.promote('ben', 'admin') $$, 'an admin makes another');
select is(pg_temp.role_of('ben'), 'admin', 'who is one then');
select lives_ok($$ select pg_temp.promote('ana', 'staff') $$, 'and may step down');
select tests.refuses($$ select pg_temp.promote('ben', 'staff') $$, 'not_an_admin', 'then she changes no role');
select tests.sign_in('ben');
select tests.refuses($$ select pg_temp.promote('ben', 'manager') $$, 'last_admin', 'the last admin cannot step down');
select lives_ok($$ select pg_temp.promote('ben', 'admin') $$, 'the last admin may stay one');
select tests.refuses($$ select pg_temp.promote('fay', 'staff') $$, 'user_not_found', 'who does not work here has no role here');

select * from finish();
rollback;
