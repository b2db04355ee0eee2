begin;
select plan(8);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

select tests.sign_in('ana');
select set_eq(
  $$ select username from public.profiles $$, array['ana', 'ben'], 'people in a room see each other and not a stranger'
);
select throws_ok(
  $$ select email from public.profiles $$, '42501', null, 'addresses are not read from the table'
);

select tests.sign_in('eve');
select results_eq($$ select username from public.profiles $$, array['eve'], 'a stranger sees herself alone');
select is_empty(
  $$ update public.profiles set first_name = 'Eve' where id = tests.user_id('ana') returning id $$,
  'a stranger changes nobody'
);
select throws_ok(
  $$ insert into public.profiles (id, username) values (gen_random_uuid(), 'forged') $$,
  '42501', null, 'nobody makes a profile'
);
select throws_ok($$ delete from public.profiles $$, '42501', null, 'nobody deletes a profile');

select tests.sign_out();
select throws_ok($$ select id from public.profiles $$, '42501', null, 'nobody signed in: nobody seen');

select tests.as_owner();
select is((select first_name from public.profiles where username = 'ana'), 'Ana', 'her name is still her own');

select * from finish();
rollback;
