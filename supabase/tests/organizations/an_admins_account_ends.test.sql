begin;
select plan(7);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('inn', 'Inn');
insert into public.organization_members (organization_id, user_id, role, joined_at)
select o.id, tests.user_id(m.person), m.role::public.organization_role, now() + m.days * interval '1 day'
from (
  values
    ('grand', 'ana', 'admin', 0), ('grand', 'ben', 'staff', 1), ('grand', 'col', 'manager', 3), ('grand', 'dan', 'manager', 2),
    ('inn', 'ana', 'admin', 0), ('inn', 'ben', 'staff', 0), ('inn', 'dan', 'admin', 4)
) as m (slug, person, role, days)
join public.organizations as o using (slug);
create function pg_temp.members(p_slug text) returns text language sql as $$
  select string_agg(p.username || ' ' || m.role, ', ' order by p.username)
  from public.organization_members as m
  join public.organizations as o on o.id = m.organization_id
  join public.profiles as p on p.id = m.user_id
  where o.slug = p_slug
$$;
create function pg_temp.end_account(p_name text) returns void language sql as $$
  delete from auth.users where id = tests.user_id(p_name)
$$;

select pg_temp.end_account('ana');
select is(pg_temp.members('grand'), 'ben staff, col manager, dan admin', 'the longest-standing manager follows the last admin');
select is(pg_temp.members('inn'), 'ben staff, dan admin', 'where there is another admin nobody needs to');
select pg_temp.end_account('col');
select is(pg_temp.members('grand'), 'ben staff, dan admin', 'nor when somebody else goes');
select pg_temp.end_account('dan');
select is(pg_temp.members('grand'), 'ben admin', 'without managers, staff do');
select is(pg_temp.members('inn'), 'ben admin', 'in every organization of theirs');

select tests.sign_in('ben');
select lives_ok(
  $$ update public.organizations set name = 'Ben''s' where slug = 'grand' $$, 'the new admin is one'
);
select tests.as_owner();
select pg_temp.end_account('ben');
select is((select count(*) from public.organizations), 2::bigint, 'a hotel with nobody left stays, for the project''s own people to end');

select * from finish();
rollback;
