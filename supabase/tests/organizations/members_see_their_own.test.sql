begin;
select plan(7);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), 'staff'
from (values ('grand', 'ana'), ('grand', 'ben'), ('other', 'eve')) as m (slug, name)
join public.organizations as o using (slug);

select tests.sign_in('ana');
select results_eq($$ select slug from public.organizations $$, array['grand'], 'a member sees her hotel and no other');
select set_eq(
  $$ select user_id from public.organization_members $$,
  array[tests.user_id('ana'), tests.user_id('ben')],
  'and who else works there'
);
select set_eq($$ select username from public.profiles $$, array['ana', 'ben'], 'and their profiles');
select throws_ok(
  $$ insert into public.organization_members (organization_id, user_id, role)
     select id, tests.user_id('ana'), 'admin' from public.organizations $$,
  '42501', null, 'nobody joins a hotel by herself'
);
select throws_ok(
  $$ update public.organization_members set role = 'admin' $$, '42501', null, 'nobody promotes herself'
);

select tests.sign_in('eve');
select results_eq($$ select slug from public.organizations $$, array['other'], 'the other hotel sees only itself');

select tests.sign_out();
select throws_ok($$ select id from public.organizations $$, '42501', null, 'nobody signed in sees any');

select * from finish();
rollback;
